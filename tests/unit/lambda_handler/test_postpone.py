"""What failed before stays away for longer."""

from ingestor.adapters.memory import Fault, MemoryQueue
from ingestor.adapters.memory.clock import FakeClock
from ingestor.core.message import Message
from ingestor.lambda_handler.postpone import LONGEST_SECONDS, delay, postpone
from ingestor.ports import Unavailable


def test_delays_double_up_to_a_limit() -> None:
    """The first repetition waits as always, later ones twice as long, none more than an hour."""
    delays = [delay(n, 120) for n in (1, 2, 3, 4, 20, 1000)]

    assert delays == [120, 240, 480, 960, LONGEST_SECONDS, LONGEST_SECONDS]
    assert delay(5, 43_200) == 43_200  # never less than the queue itself would wait
    assert sum(delay(n, 120) for n in range(1, 21)) > 12 * 3600


async def received(queue: MemoryQueue, clock: FakeClock, *, times: int) -> list[Message]:
    """Everything of the queue, received so often."""
    messages: list[Message] = []
    for n in range(times):
        if n:
            await clock.advance(queue.visibility_timeout_seconds)
        messages = []
        while queue.waiting:
            messages += await queue.receive()
    return messages


async def test_only_what_failed_before_is_told_to_stay_away() -> None:
    """A message that came for the first time costs no call."""
    clock = FakeClock()
    queue = MemoryQueue(clock=clock, visibility_timeout_seconds=120)
    for n in range(25):
        queue.send(str(n))
    first = await received(queue, clock, times=1)

    await postpone(queue, first, seconds=5)
    await clock.advance(120)
    assert len(queue.waiting) == 25

    second = await received(queue, clock, times=1)
    assert {each.attributes.receive_count for each in second} == {2}
    await postpone(queue, second, seconds=5)
    await clock.advance(239)
    assert queue.waiting == []
    await clock.advance(1)
    assert len(queue.waiting) == 25


async def test_a_queue_that_does_not_answer_is_let_be() -> None:
    """They come again as always."""
    clock = FakeClock()
    queue = MemoryQueue(clock=clock, visibility_timeout_seconds=120)
    queue.send("1")
    messages = await received(queue, clock, times=2)
    queue.faults["extend"].append(Fault(Unavailable("it is down")))

    await postpone(queue, messages, seconds=5)

    await clock.advance(120)
    assert len(queue.waiting) == 1

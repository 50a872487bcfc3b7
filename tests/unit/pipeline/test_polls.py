"""The number of polls follows the backlog."""

import asyncio

from support.rig import rig

from ingestor.adapters.memory import FakeClock, MemoryQueue
from ingestor.core.message import Delivered
from ingestor.pipeline.polls import GROWS_FROM, Polls


async def turns(polls: Polls, most: int) -> list[int]:
    """The pollers that may go on now."""
    tasks = [asyncio.create_task(polls.turn(n), name=f"turn-{n}") for n in range(most)]
    await asyncio.sleep(0)
    done = [n for n, task in enumerate(tasks) if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return done


async def test_full_answers_add_polls_up_to_the_limit() -> None:
    """Each a poll: more waits than what was brought."""
    polls = Polls(3)
    assert await turns(polls, 3) == [0]
    for count, wanted in ((10, 2), (5, 3), (10, 3)):
        polls.answered(count)
        assert polls.wanted == wanted
    assert await turns(polls, 3) == [0, 1, 2]


async def test_a_trickle_takes_polls_away_but_one() -> None:
    """What several polls bring in parts, one brings at once."""
    polls = Polls(3)
    for count in (10, 10, 4, 1, 1):
        polls.answered(count)
    assert await turns(polls, 3) == [0]


async def test_empty_answers_take_polls_away_but_one() -> None:
    """An idle queue costs a single poll."""
    polls = Polls(3)
    for count in (10, 10, 0, 0, 0):
        polls.answered(count)
    assert await turns(polls, 3) == [0]
    polls.answered(10)
    assert await turns(polls, 3) == [0, 1]


async def test_at_the_end_everybody_is_woken() -> None:
    """Those that were not wanted notice the stop, too."""
    polls = Polls(3)
    polls.answered(10)
    polls.end()
    polls.answered(0)
    assert await turns(polls, 3) == [0, 1, 2]


async def test_an_idle_pipeline_polls_one_at_a_time() -> None:
    """A burst brings more polls, which go when it is over."""
    r = rig(pollers=4)
    async with r.running():
        r.send_readings(200)
        await r.until(lambda: r.totals.deleted == 200)
        assert r.pipeline.polls.wanted > 1
        await r.until(lambda: r.pipeline.polls.wanted == 1)
        before = r.queue.receives
        await r.clock.advance(10 * r.queue.wait_seconds)
        assert r.queue.receives - before <= 11


async def test_polls_that_do_not_wait_are_not_repeated_at_once() -> None:
    """A queue at its cap of messages in flight answers at once, with nothing: no reason to spin."""
    clock = FakeClock()
    r = rig(clock=clock, queue=MemoryQueue(clock=clock, wait_seconds=0))
    async with r.running():
        await clock.advance(60)
        assert 20 <= r.queue.receives <= 80


async def test_a_trickle_is_collected() -> None:
    """After a few messages the poller waits a moment: the next ones come with one answer."""
    r = rig(receive_pause_seconds=0.05)

    async with r.running():
        for _ in range(3):
            r.send_readings(1)
            await r.clock.advance(0.02)
        await r.clock.advance(0.06)
        assert r.totals.received == 3
        # One, then two together, then a poll that waits; and a look at the depth.
        assert r.totals.queue_calls == 3 + 1


async def test_a_backlog_is_not_waited_for() -> None:
    """Answers that are at least half full are followed by the next poll at once."""
    r = rig(receive_pause_seconds=5.0)
    r.send_readings(40)

    async with r.running():
        await r.clock.advance(0.03)
        assert r.totals.received == 40


async def test_a_stop_ends_the_pause() -> None:
    """Nobody waits for messages that are not to be received."""
    r = rig(receive_pause_seconds=5.0)
    r.send_readings(1)

    async with r.running():
        await r.until(lambda: r.totals.received == 1)
    assert r.clock.monotonic() < 5.0
    assert len(r.queue.deleted) == 1


def test_a_trickle_is_what_was_read_last() -> None:
    """Until half an answer was read, and again as soon as less was."""
    polls = Polls(4)
    assert polls.trickle
    polls.answered(GROWS_FROM)
    assert not polls.trickle
    polls.answered(GROWS_FROM - 1)
    assert polls.trickle


class Uncounted(Delivered):
    """Many messages, which nobody may count."""

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        raise AssertionError


async def test_under_load_nobody_counts() -> None:
    """Once answers are full, the next poll follows without a look at what the last one brought."""
    clock = FakeClock()
    queue = MemoryQueue(clock=clock)
    r = rig(clock=clock, queue=queue, receive_pause_seconds=5.0, pollers=1)
    r.pipeline.polls.answered(10)
    counted = iter([Uncounted(), Uncounted()])
    receive = queue.receive

    async def receive_uncounted() -> Delivered:
        return next(counted, None) or await receive()

    queue.receive = receive_uncounted  # type: ignore[method-assign]
    async with r.running():
        await clock.advance(0.01)
        assert next(counted, None) is None

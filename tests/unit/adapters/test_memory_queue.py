"""The queue in memory: its switches, and what virtual time makes of visibility."""

import asyncio

import pytest

from ingestor.adapters.memory import FakeClock, Fault, MemoryQueue
from ingestor.core.message import Message, Reason, Receipt, Rejected, Stage
from ingestor.ports import BATCH, DeadLetter, Failure, QueueDepth, Unavailable

DOWN = Unavailable("the queue is down")


@pytest.fixture
def clock() -> FakeClock:
    """Virtual time."""
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> MemoryQueue:
    """A queue with the usual times."""
    return MemoryQueue(clock=clock)


def receipt(message: Message) -> Receipt:
    """The right to settle a message."""
    return Receipt(message.message_id, message.receipt_handle)


async def test_visibility_ends_on_the_clock(queue: MemoryQueue, clock: FakeClock) -> None:
    """A message that is not settled comes again after exactly its visibility."""
    queue.send("a")
    (first,) = await queue.receive()
    await clock.advance(29.9)
    assert (queue.waiting, queue.in_flight) == ([], ["message-0"])
    await clock.advance(0.1)
    (second,) = await queue.receive()
    assert (first.receipt_handle, second.receipt_handle) == ("message-0#1", "message-0#2")
    assert queue.receive_counts == {"message-0": 2}


async def test_a_long_poll_ends_when_its_time_is_up(queue: MemoryQueue, clock: FakeClock) -> None:
    """An empty queue answers after `wait_seconds`, not before."""
    poll = asyncio.create_task(queue.receive(), name="poll")
    await clock.advance(9.9)
    assert not poll.done()
    await clock.advance(0.1)
    assert await poll == []


async def test_a_long_poll_gets_what_becomes_visible(queue: MemoryQueue, clock: FakeClock) -> None:
    """A poll that waits when a visibility ends returns that message."""
    queue.send("a")
    (first,) = await queue.receive()
    await queue.extend([receipt(first)], 3)
    poll = asyncio.create_task(queue.receive(), name="poll")
    await clock.advance(3)
    assert [each.attributes.receive_count for each in await poll] == [2]


async def test_an_id_is_sent_once(queue: MemoryQueue) -> None:
    """Ids identify messages for good, deleted ones too."""
    queue.send("a", message_id="mine")
    with pytest.raises(ValueError, match="mine was sent before"):
        queue.send("b", message_id="mine")


async def test_a_message_received_too_often_is_redriven(clock: FakeClock) -> None:
    """One receive more than allowed moves the message away."""
    queue = MemoryQueue(clock=clock, max_receive_count=2, wait_seconds=0)
    queue.send("a")
    for _ in range(2):
        (message,) = await queue.receive()
        await queue.extend([receipt(message)], 0)
    assert await queue.receive() == []
    assert [each.body for each in queue.redriven] == ["a"]
    assert await queue.depth() == QueueDepth(visible=0, in_flight=0)


async def test_duplicates_come_in_one_answer(clock: FakeClock) -> None:
    """Each message comes twice, with two receipts, of which the second counts."""
    queue = MemoryQueue(clock=clock, duplicates=True)
    queue.send("a")
    first, second = await queue.receive()
    assert first.message_id == second.message_id
    await queue.delete([receipt(first)])
    assert queue.deleted == []
    await queue.delete([receipt(second)])
    assert queue.deleted == ["message-0"]


async def test_a_fault_ends_one_call(queue: MemoryQueue) -> None:
    """Each fault is for one call of its kind, which then does nothing."""
    queue.send("a")
    queue.faults["receive"].append(Fault(DOWN))
    with pytest.raises(Unavailable):
        await queue.receive()
    (message,) = await queue.receive()
    queue.faults["delete"].append(Fault(DOWN))
    with pytest.raises(Unavailable):
        await queue.delete([receipt(message)])
    assert queue.deleted == []


async def test_a_fault_can_come_after_the_work(queue: MemoryQueue) -> None:
    """The answer is lost, the effect is not."""
    queue.send("a")
    (message,) = await queue.receive()
    letter = DeadLetter(message, Rejected(Stage.DECODE, Reason.NOT_JSON, "no"))
    queue.faults["dead_letter"].append(Fault(DOWN, applied=True))
    queue.faults["delete"].append(Fault(DOWN, applied=True))
    with pytest.raises(Unavailable):
        await queue.dead_letter([letter])
    with pytest.raises(Unavailable):
        await queue.delete([receipt(message)])
    assert queue.dead_letters == [letter]
    assert queue.deleted == ["message-0"]


async def test_single_entries_can_be_refused(queue: MemoryQueue) -> None:
    """A refused entry has no effect, its neighbours have."""
    for _ in range(BATCH):
        queue.send("a")
    messages = await queue.receive()
    letters = [DeadLetter(each, Rejected(Stage.DECODE, Reason.NOT_JSON, "no")) for each in messages]
    failure = Failure("message-3", "InternalError", permanent=False)
    queue.refuse = lambda _, message_id: failure if message_id == "message-3" else None
    assert await queue.dead_letter(letters) == [failure]
    assert await queue.delete([receipt(each) for each in messages]) == [failure]
    assert len(queue.dead_letters) == len(queue.deleted) == BATCH - 1
    assert queue.in_flight == ["message-3"]


async def test_a_gate_holds_a_call_up(queue: MemoryQueue, clock: FakeClock) -> None:
    """A call waits for its gate before it does anything."""
    queue.gates["depth"] = asyncio.Event()
    call = asyncio.create_task(queue.depth(), name="depth")
    await clock.settle()
    queue.send("a")
    assert not call.done()
    queue.gates["depth"].set()
    assert await call == QueueDepth(visible=1, in_flight=0)


async def test_what_was_deleted_or_extended_late_does_not_come_again(
    queue: MemoryQueue, clock: FakeClock
) -> None:
    """A newest receipt settles a message even after it had become visible."""
    for _ in range(2):
        queue.send("a")
    first, second = await queue.receive()
    await clock.advance(30)
    assert len(queue.waiting) == 2
    await queue.delete([receipt(first)])
    (again,) = await queue.receive()
    assert again.message_id == second.message_id
    assert "1 in flight, 1 deleted" in repr(queue)


async def test_a_visible_message_cannot_be_extended(queue: MemoryQueue, clock: FakeClock) -> None:
    """Its lease is over; whoever asks is told so."""
    queue.send("a")
    (message,) = await queue.receive()
    await clock.advance(30)
    (failure,) = await queue.extend([receipt(message)], 30)
    assert (failure.code, failure.permanent) == ("MessageNotInflight", True)


async def test_what_was_deleted_while_it_waited_for_a_receive_does_not_come(
    queue: MemoryQueue, clock: FakeClock
) -> None:
    """A message that a full answer left behind can still be deleted."""
    for _ in range(BATCH + 1):
        queue.send("a")
    messages = [*await queue.receive(), *await queue.receive()]
    await clock.advance(30)
    again = {each.message_id for each in await queue.receive()}
    (left,) = [each for each in messages if each.message_id not in again]
    await queue.delete([receipt(left)])
    poll = asyncio.create_task(queue.receive(), name="poll")
    await clock.advance(10)
    assert await poll == []


async def test_at_its_cap_nothing_is_received(clock: FakeClock) -> None:
    """With so many in flight the queue answers at once, with nothing, until one is deleted."""
    queue = MemoryQueue(clock=clock, most_in_flight=1)
    queue.send("a")
    (message,) = await queue.receive()
    queue.send("b")

    assert await queue.receive() == []
    await queue.delete([receipt(message)])
    assert [each.body for each in await queue.receive()] == ["b"]

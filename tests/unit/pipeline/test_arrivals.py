"""What polls bring is read in bursts, which are bounded in every way."""

import asyncio
from collections.abc import Iterator

from support.rig import reading, rig

from ingestor.adapters.memory import FakeClock, MemoryQueue
from ingestor.core.message import Delivered, Message
from ingestor.pipeline.arrivals import BURST, BURST_BYTES, BURST_SECONDS
from ingestor.ports import BATCH, Delivery, Unavailable


class Junk:
    """An answer that turns out to be unreadable."""

    size_bytes = 1000

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Message]:
        raise Unavailable("The answer of SQS to ReceiveMessage cannot be read.")


class Empty(Delivered):
    """An answer that seemed to hold messages, and holds none."""

    def __bool__(self) -> bool:
        return True


class Odd(MemoryQueue):
    """Answers with something else as long as `answer` is set."""

    answer: Delivery | None = None

    async def receive(self) -> Delivered:
        """See Queue."""
        if self.answer is None:
            return await super().receive()
        self.receives += 1
        await asyncio.sleep(0)
        return self.answer  # type: ignore[return-value] # any delivery will do


async def test_unreadable_answers() -> None:
    """They are asked for ever more seldom, the reason shows, and later messages are stored."""
    clock = FakeClock()
    queue = Odd(clock=clock)
    queue.answer = Junk()
    r = rig(clock=clock, queue=queue, pollers=2)

    async with r.running():
        await clock.advance(120)
        assert "cannot be read" in r.telemetry.down["sqs"]
        assert queue.receives < 30 * 2 * BURST  # some thirty pauses until then
        before = queue.receives
        await clock.advance(60)
        assert queue.receives - before < 15 * 2 * BURST

        queue.answer = None
        r.send_readings(3)
        await r.until(lambda: len(queue.deleted) == 3)
        assert "sqs" not in r.telemetry.down


async def test_answers_that_turn_out_to_be_empty() -> None:
    """Nor do these make the pollers spin."""
    clock = FakeClock()
    queue = Odd(clock=clock)
    queue.answer = Empty()
    r = rig(clock=clock, queue=queue)

    async with r.running():
        await clock.advance(120)
        assert queue.receives < 30 * 2 * BURST
        assert "sqs" not in r.telemetry.down
        queue.answer = None


async def test_a_few_wait_for_more() -> None:
    """What comes within a moment is read together."""
    r = rig(pollers=1)

    async with r.running():
        r.send(reading(1))
        await r.clock.advance(BURST_SECONDS / 2)
        r.send(reading(2))
        await r.clock.advance(BURST_SECONDS / 4)
        assert r.totals.received == 0
        assert not r.pipeline.intake.empty.is_set()

        await r.clock.advance(BURST_SECONDS / 4)
        assert r.totals.received == 2


async def test_many_wait_for_nothing() -> None:
    """A burst is read at once, whether it is one by number or by size."""
    for bodies in (
        [reading(n) for n in range(BURST * BATCH)],
        [reading(n, note="x" * (BURST_BYTES // 4)) for n in range(5)],
    ):
        r = rig(pollers=1)
        async with r.running():
            r.send(*bodies)
            await r.clock.settle()
            assert r.totals.received == len(bodies)


async def test_what_is_unread_counts_for_the_window() -> None:
    """Pollers stop where the window would be full, and what they brought is read at once."""
    r = rig(pollers=1, window_messages=3 * BATCH, batch_seconds=5.0)
    r.send_readings(10 * BATCH)

    async with r.running():
        await r.clock.settle()
        assert len(r.queue.in_flight) == 3 * BATCH
        assert r.totals.received == 3 * BATCH
        await r.until(lambda: len(r.queue.deleted) == 10 * BATCH)


async def test_leases_of_what_cannot_be_worked_for() -> None:
    """While the writers are behind, messages are read all the same: their leases are kept."""
    r = rig(batch_lines=10, writers=1, pollers=2)
    async with r.running():
        r.sink.hang = asyncio.Event()
        r.send_readings(400)
        await r.clock.advance(200)
        assert r.totals.received == 400
        assert set(r.queue.receive_counts.values()) == {1}
        r.sink.hang.set()
        await r.until(lambda: len(r.queue.deleted) == 400)


async def test_more_than_a_burst_is_settled() -> None:
    """What one write has stored, however much, is deleted."""
    count = BURST * BATCH + BATCH + 1
    r = rig(batch_lines=count, batch_seconds=60.0)
    r.send_readings(count)

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == count)
        assert len(r.sink.writes) == 1


class Late(MemoryQueue):
    """One poll is answered when `gate` opens, the other one never."""

    gate: asyncio.Event

    async def receive(self) -> Delivered:
        """See Queue."""
        self.receives += 1
        if self.receives > 1:
            await asyncio.Event().wait()
        await self.gate.wait()
        return Delivered(self._take())


async def test_a_stop_gives_back_what_is_unread() -> None:
    """What a poll brings just before no time is left is visible again at once."""
    clock = FakeClock()
    queue = Late(clock=clock)
    queue.gate = asyncio.Event()
    r = rig(clock=clock, queue=queue, pollers=2, stop_seconds=5.0)

    async with r.running():
        r.pipeline.polls.answered(BATCH)  # both are wanted
        r.send_readings(5)
        await clock.settle()
        r.stop.set()
        await clock.advance(0.99)  # of the one second that storing has
        queue.gate.set()
    assert len(queue.waiting) == 5
    assert queue.in_flight == []
    assert clock.monotonic() < 5.0

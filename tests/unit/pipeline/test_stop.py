"""A clean stop leaves nothing behind; a hindered one gives back what it can."""

import asyncio
from collections.abc import Sequence

import pytest
from support.rig import reading, rig

from ingestor.adapters.memory import FakeClock, MemoryQueue
from ingestor.core.message import Receipt
from ingestor.pipeline.pipeline import TaskLost
from ingestor.ports import Failure, Unavailable

DOWN = Unavailable("it is down")


async def test_stop_stores_what_is_held() -> None:
    """What was received is stored and deleted although its batch was still young."""
    r = rig(batch_seconds=30)
    async with r.running():
        r.send_readings(12)
        await r.clock.advance(0.1)
        assert r.sink.writes == []
        r.stop.set()
        await r.until(r.run.done, most_seconds=11)

    assert len(r.queue.deleted) == 12
    assert set(r.queue.receive_counts.values()) == {1}
    assert r.pipeline.state == "stopped"


async def test_stop_under_load() -> None:
    """With messages coming all the time, none is received twice and none is left invisible."""
    r = rig()
    async with r.running():
        for n in range(40):
            r.send(*(reading(n * 10 + m) for m in range(10)))
            await r.clock.advance(0.05)
            if n == 20:
                r.stop.set()
        await r.until(r.run.done, most_seconds=25)

    assert r.queue.in_flight == []
    assert set(r.queue.receive_counts.values()) <= {0, 1}
    assert len(r.queue.deleted) == len(r.sink.points) >= 200


class SlowToDelete(MemoryQueue):
    """Takes its time for every delete."""

    async def delete(self, receipts: Sequence[Receipt]) -> list[Failure]:
        """See Queue."""
        await self._clock.sleep(0.25)
        return await super().delete(receipts)


async def test_stop_with_a_full_window_before_slow_deletes() -> None:
    """All that is stored at the end is deleted in time, where as many calls as before are late."""
    clock = FakeClock()
    r = rig(
        clock=clock,
        queue=SlowToDelete(clock=clock),
        window_messages=2_000,
        batch_lines=2_000,
        batch_seconds=60,
        stop_seconds=10,
    )
    r.send_readings(2_000)
    async with r.running():
        await r.until(lambda: r.totals.received == 2_000, most_seconds=50)
        assert r.queue.deleted == []
        r.stop.set()
        await r.until(r.run.done, most_seconds=10)

    assert 2_000 / 10 / r.limits.settlers * 0.25 > 10
    assert len(r.queue.deleted) == 2_000
    assert r.totals.abandoned == 0


async def test_stop_while_the_sink_is_down() -> None:
    """What cannot be stored is visible to others at once, within the time to stop."""
    r = rig(stop_seconds=25)
    async with r.running():
        r.send_readings(12)
        r.sink.fault = DOWN
        await r.until(lambda: r.totals.write_retries)
        r.stop.set()
        await r.until(r.run.done, most_seconds=25)

    assert len(r.queue.waiting) == 12
    assert r.totals.released == 12
    assert r.queue.deleted == []


async def test_stop_while_nothing_works() -> None:
    """Even when nothing can be given back the stop ends in time, and says what it left."""
    r = rig(stop_seconds=25)
    async with r.running():
        r.send_readings(3)
        r.sink.fault = DOWN
        await r.until(lambda: r.totals.write_retries)
        r.queue.gates["extend"] = asyncio.Event()
        r.stop.set()
        await r.until(r.run.done, most_seconds=25)

    assert r.totals.abandoned == 3
    assert "messages abandoned" in [each["event"] for each in r.events]


async def test_stop_while_metadata_is_late() -> None:
    """A look-up that is answered during the stop still leads to a stored reading."""
    r = rig(batch_seconds=30)
    r.store.fault = DOWN
    r.send_readings(2)
    async with r.running():
        await r.until(lambda: r.pipeline.gauges["waiting_for_metadata"])
        r.stop.set()
        await r.clock.advance(11)
        r.store.fault = None
        await r.until(r.run.done, most_seconds=25)

    assert len(r.queue.deleted) == 2


async def test_stop_while_the_queue_does_not_answer() -> None:
    """A poller that waits for its next try notices the stop at once."""
    r = rig()
    r.queue.gates["receive"] = asyncio.Event()
    async with r.running():
        await r.clock.advance(1)
        r.stop.set()
        r.queue.gates["receive"].set()
        await r.until(r.run.done, most_seconds=25)

    assert r.pipeline.state == "stopped"


async def test_stop_before_first_contact() -> None:
    """A service that never reached its sink stops as well."""
    r = rig()
    r.sink.fault = DOWN
    async with r.running():
        await r.clock.advance(1)

    assert r.pipeline.state == "stopped"
    assert r.queue.receives == 0


async def test_cancelled() -> None:
    """An abort ends everything at once."""
    r = rig()
    r.send_readings(3)
    run = asyncio.create_task(r.pipeline.run(r.stop), name="pipeline")
    await r.clock.advance(0.1)

    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    assert r.queue.deleted == []


async def test_cancelled_from_within() -> None:
    """A task that ends as cancelled, while nobody has cancelled it, ends the pipeline as failed."""

    async def stray(*_: object) -> None:
        raise asyncio.CancelledError

    r = rig()
    r.sink.ping = stray  # type: ignore[method-assign] # what a library does that loses its way
    with pytest.raises(ExceptionGroup) as ended:
        await r.pipeline.run(r.stop)

    assert ended.group_contains(TaskLost, match="the task first-contact was cancelled from within")

"""Rows 8 and 9: writes that take longer than messages stay hidden, and leases that fail."""

import asyncio

import pytest
from faults.calls import Held, observed
from faults.conftest import Ground
from service.conftest import reading
from support.rig import rig

from ingestor.adapters.memory import Fault
from ingestor.ports import Unavailable
from loadtest.proxy import Latency, Status

on_servers = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


class TestReal:
    """Through the real service."""

    pytestmark = on_servers

    async def test_f08_visibility_shorter_than_a_write(self, ground: Ground) -> None:
        """Writes that take twice the visibility timeout lead to no second delivery."""
        await ground.visibility(4)
        async with ground.service(INFLUXDB_TIMEOUT_SECONDS="20") as service:
            await ground.until(lambda: ground.influxdb.requests)
            ground.influxdb.arm(Latency(8), "write", times=4)
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_stored(30)
            await ground.until_empty()
            await service.finish()

        assert ground.site.custody.redelivered == 0
        assert await ground.sequences() == list(range(30))

    async def test_f08_f09_extensions_fail(self, ground: Ground) -> None:
        """What no extension keeps comes again, and is neither dropped nor written twice.

        As soon as extensions work again nothing comes again any more: its lease is that of the
        newest receipt.
        """
        await ground.visibility(4)
        async with observed(
            ground, INFLUXDB_TIMEOUT_SECONDS="120", SELF_REPORT_SECONDS="0", BATCH_SECONDS="0.05"
        ) as (service, calls):
            await ground.until(lambda: ground.influxdb.requests)
            write = Held()
            ground.sqs.arm(Status(500, "error"), "ChangeMessageVisibilityBatch", times=10_000)
            ground.influxdb.arm(write, "write", times=100)
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until(lambda: ground.site.custody.redelivered >= 30)
            assert await ground.sequences() == []
            ground.sqs.disarm()
            await ground.until(lambda: calls.extended >= set(calls.newest.values()))
            redelivered = ground.site.custody.redelivered
            await asyncio.sleep(6)  # longer than a visibility: the time is what this is about
            assert ground.site.custody.redelivered == redelivered

            writes = ground.influxdb.under_way
            write.let_go.set()
            ground.influxdb.disarm()
            await ground.until_empty()
            await service.scrape()
            await service.finish()

        assert await ground.sequences() == list(range(30))
        assert service.total("ingestor_lines_total") == 30
        assert service.total("ingestor_batches_total") == writes
        assert service.total("ingestor_duplicates_total") == redelivered
        assert calls.deletes.keys() == set(calls.newest.values())
        assert await ground.stack.take_dead_letters() == []


async def test_f09_extensions_without_an_answer() -> None:
    """An extension that gets no answer is repeated in time, and no message is dropped for it."""
    r = rig(pollers=1)
    async with r.running():
        r.sink.hang = asyncio.Event()
        r.send_readings(15)
        await r.until(lambda: r.sink.writes)
        r.queue.faults["extend"].extend([Fault(Unavailable("down"))] * 3)
        await r.clock.advance(45)
        r.sink.hang.set()
        await r.until(lambda: len(r.queue.deleted) == 15)

    assert set(r.queue.receive_counts.values()) == {1}

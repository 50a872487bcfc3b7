"""Rows 8, 10, 14, 16, 18 and 20: a queue that forgets, lies, or brings nothing."""

import asyncio

import pytest
from faults.conftest import Ground
from service.conftest import reading
from support.rig import rig

from ingestor.adapters.memory import FakeClock, MemoryQueue
from ingestor.core.message import Message
from loadtest.proxy import FakeSuccess, Latency

on_servers = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


class EmptyHanded(MemoryQueue):
    """Answers every poll at once, with nothing, as SQS does at its cap of messages in flight."""

    async def receive(self) -> list[Message]:
        """See Queue."""
        self.receives += 1
        return []


class TestReal:
    """Through the real service."""

    pytestmark = on_servers

    async def test_f08_visibility_shorter_than_a_write(self, ground: Ground) -> None:
        """Writes that take twice the visibility timeout lead to no second delivery."""
        await ground.visibility(2)
        async with ground.service(INFLUXDB_TIMEOUT_SECONDS="20") as service:
            await ground.until(lambda: ground.influxdb.requests)
            ground.influxdb.arm(Latency(5), "write", times=4)
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_stored(30)
            await ground.until_empty()
            await service.finish()

        assert ground.site.custody.redelivered == 0
        assert await ground.sequences() == list(range(30))

    async def test_f10_delete_without_effect(self, ground: Ground) -> None:
        """A delete that only seems to succeed leaves the message, which is then deleted again."""
        ground.sqs.arm(FakeSuccess(), "DeleteMessageBatch", times=3)
        async with ground.service() as service:
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_stored(30)
            await ground.until_empty()
            await service.finish()

        assert ground.sqs.applied == {"fake-success": 3}
        assert ground.site.custody.redelivered == 30
        assert await ground.sequences() == list(range(30))

    async def test_f18_sink_down_longer_than_all_receives(self, ground: Ground) -> None:
        """An outage longer than all receives of a message burns none of them."""
        await ground.visibility(2)
        await ground.most_receives(2)
        async with ground.service() as service:
            await ground.send(*(reading(n) for n in range(20)))
            await ground.until_stored(20)
            ground.influxdb.down = True
            await ground.send(*(reading(n) for n in range(20, 60)))
            # The time is what this is about: more than two receives of two seconds each.
            await asyncio.sleep(6)
            ground.influxdb.down = False
            await ground.until_empty()
            await service.finish()

        assert await ground.sequences() == list(range(60))
        assert ground.site.custody.redelivered == 0
        assert await ground.stack.take_dead_letters() == []


@pytest.mark.parametrize("kind", [MemoryQueue, EmptyHanded])
async def test_f14_f16_empty_polls_do_not_spin(kind: type[MemoryQueue]) -> None:
    """Ten minutes without messages cost a poll every few seconds, even if none of them waits."""
    clock = FakeClock()
    r = rig(pollers=4, clock=clock, queue=kind(clock=clock))
    async with r.running():
        await r.clock.advance(600)
        polls = r.queue.receives

    assert 50 < polls < 4 * 600  # one poll of ten seconds at a time is enough


async def test_f16_a_backlog_that_is_not_handed_out_shows() -> None:
    """At the queue's cap the depth tells that messages wait, while none is received."""
    clock = FakeClock()
    r = rig(clock=clock, queue=EmptyHanded(clock=clock))
    r.send_readings(5)
    async with r.running():
        await r.clock.advance(20)

        assert r.pipeline.gauges["queue_visible"] == 5
        assert r.totals.received == 0

"""Rows 14 to 16: polls that bring nothing, or fail."""

import asyncio
import time
from itertools import pairwise

import pytest
from faults.calls import observed
from faults.conftest import LONG_SECONDS, Ground
from service.conftest import reading
from support.rig import rig
from support.templates import read_templates

from ingestor.adapters.memory import FakeClock, Fault, MemoryQueue
from ingestor.core.message import Delivered
from ingestor.ports import Unavailable
from loadtest.proxy import NothingReceived, Status, Unreadable

on_servers = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


class EmptyHanded(MemoryQueue):
    """Answers every poll at once, with nothing, as SQS does at its cap of messages in flight."""

    async def receive(self) -> Delivered:
        """See Queue."""
        self.receives += 1
        return Delivered()


class Noted(MemoryQueue):
    """Notes when it is asked for messages."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self.moments: list[float] = []

    async def receive(self) -> Delivered:
        """See Queue."""
        self.moments.append(self._clock.monotonic())
        return await super().receive()


class TestReal:
    """Through the real service."""

    pytestmark = on_servers

    async def test_f14_idle(self, ground: Ground) -> None:
        """Without messages there is one long poll after the other, and hardly any work."""
        seconds, wait = 12, 2
        async with observed(ground, RECEIVE_WAIT_SECONDS=str(wait)) as (service, calls):
            await ground.until(lambda: calls.receives)
            await service.scrape()
            polls, busy = calls.receives, service.gauge("ingestor_cpu_seconds")
            began = time.monotonic()
            await asyncio.sleep(seconds)  # the time is what this is about
            assert calls.receives - polls <= (time.monotonic() - began) / wait + 2
            await service.scrape()
            assert 0 < busy < service.gauge("ingestor_cpu_seconds") < busy + seconds / 10
            # The loop turns: what comes now is received by the poll that waits for it.
            await ground.send(reading(1))
            await ground.until_empty()
            await service.finish()

        assert await ground.sequences() == [1]

    async def test_f15_receives_fail(self, ground: Ground) -> None:
        """Throttled, failing and unreadable receives are waited out, and all is stored then."""
        await ground.visibility(LONG_SECONDS)
        throttled = Status(
            400,
            "throttled",
            body=b'{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}',
        )
        for fault in (throttled, Status(503, "error"), Unreadable()):
            ground.sqs.arm(fault, "ReceiveMessage", times=2)
        async with ground.service() as service:
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_stored(30)
            await ground.until_empty()
            await service.finish()

        assert ground.sqs.applied == {"throttled": 2, "error": 2, "unreadable": 2}
        assert ground.site.custody.redelivered == 0
        assert await ground.sequences() == list(range(30))

    async def test_f16_at_the_cap(self, ground: Ground) -> None:
        """While a queue gives none of its messages, that shows, and it is asked now and then."""
        await ground.visibility(LONG_SECONDS)
        ground.sqs.arm(NothingReceived(), "ReceiveMessage", times=100_000)
        async with observed(ground) as (service, calls):
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_gauge(service, "ingestor_queue_visible", 30)
            assert service.total("ingestor_received_total") == 0
            polls, began = calls.receives, time.monotonic()
            await asyncio.sleep(6)  # the time is what this is about
            # Pauses of one to two seconds, but for the first few.
            assert 2 <= calls.receives - polls <= time.monotonic() - began + 4
            ground.sqs.disarm()
            await ground.until_empty()
            await service.finish()

        assert ground.site.custody.redelivered == 0
        assert await ground.sequences() == list(range(30))


async def test_f14_an_idle_queue_is_polled_once_at_a_time() -> None:
    """Ten minutes without messages cost a long poll of ten seconds after the other."""
    r = rig(pollers=4)
    async with r.running():
        await r.clock.advance(600)
        polls = r.queue.receives

    assert 55 < polls < 70


@pytest.mark.parametrize("kind", [MemoryQueue, EmptyHanded])
async def test_f14_f16_empty_polls_do_not_spin(kind: type[MemoryQueue]) -> None:
    """Ten minutes without messages cost a poll every few seconds, even if none of them waits."""
    clock = FakeClock()
    r = rig(pollers=4, clock=clock, queue=kind(clock=clock))
    async with r.running():
        await r.clock.advance(600)
        polls = r.queue.receives

    assert 50 < polls < 4 * 600  # one poll of ten seconds at a time is enough


async def test_f15_receives_are_repeated_ever_more_seldom() -> None:
    """Ten minutes without an answer: pauses grow to ten seconds at most, no two of them equal."""
    clock = FakeClock()
    queue = Noted(clock)
    queue.faults["receive"].extend([Fault(Unavailable("down"))] * 1_000)
    r = rig(pollers=1, clock=clock, queue=queue)
    async with r.running():
        await r.clock.advance(600)
        queue.faults["receive"].clear()
        r.send_readings(5)
        await r.until(lambda: len(r.queue.deleted) == 5, most_seconds=20)
        pauses = [after - before for before, after in pairwise(queue.moments)]

    while_down = pauses[:70]
    assert max(while_down) <= 10
    assert min(while_down[10:]) >= 5
    assert len(set(while_down)) == len(while_down)


async def test_f16_a_backlog_that_is_not_handed_out_shows() -> None:
    """At the queue's cap the depth tells that messages wait, while none is received."""
    clock = FakeClock()
    r = rig(clock=clock, queue=EmptyHanded(clock=clock))
    r.send_readings(5)
    async with r.running():
        await r.clock.advance(20)

        assert r.pipeline.gauges["queue_visible"] == 5
        assert r.totals.received == 0


def test_f16_the_alarm() -> None:
    """CloudWatch tells when the oldest message of the queue waits long, received or not."""
    found = [
        alarm["Dimensions"][0]["Value"]
        for _, alarm in read_templates()["queue"].resources("AWS::CloudWatch::Alarm")
        if alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
        and alarm["ComparisonOperator"] == "GreaterThanThreshold"
        and alarm["AlarmActions"]
    ]

    assert found == [{"Fn::GetAtt": ["Queue", "QueueName"]}]

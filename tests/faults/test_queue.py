"""Rows 8 to 20 and 50: a queue that forgets, lies, or brings nothing."""

import asyncio
from datetime import UTC, datetime
from typing import Literal

import pytest
from faults.conftest import Ground
from service.conftest import reading
from support.rig import rig

from ingestor.adapters.memory import FakeClock, Fault, MemoryQueue
from ingestor.adapters.sqs import open_sqs
from ingestor.core.message import Message
from ingestor.ports import Receipt, Unavailable
from loadtest.proxy import (
    Duplicates,
    FailedEntries,
    FakeSuccess,
    Latency,
    Reset,
    Status,
    Unreadable,
)

TODAY = datetime.now(UTC).date()

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

    async def test_f09_extensions_fail(self, ground: Ground) -> None:
        """Extensions without an answer change nothing for the messages: they are stored."""
        async with ground.service(INFLUXDB_TIMEOUT_SECONDS="20") as service:
            await ground.until(lambda: ground.influxdb.requests)
            ground.sqs.arm(Status(500, "error"), "ChangeMessageVisibilityBatch", times=3)
            ground.influxdb.arm(Latency(5), "write", times=4)
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_stored(30)
            await ground.until_empty()
            await service.finish()

        assert ground.sqs.applied == {"error": 3}
        assert await ground.sequences() == list(range(30))
        assert await ground.stack.take_dead_letters() == []

    async def test_f11_twice_in_one_receive(self, ground: Ground) -> None:
        """A message that comes twice in one answer is one message, and one entry of a delete."""
        ground.sqs.arm(Duplicates(), "ReceiveMessage", times=50)
        async with ground.service() as service:
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_stored(30)
            await ground.until_empty()
            await service.scrape()
            await service.finish()

        assert ground.site.custody.received == 60
        assert service.total("ingestor_duplicates_total") == 30
        assert service.total("ingestor_queue_failures_total") == 0
        assert await ground.sequences() == list(range(30))

    async def test_f12_entries_of_a_delete_fail(self, ground: Ground) -> None:
        """What failed for now is tried again alone; what failed for good comes again, just once."""
        async with ground.service() as service:
            ground.sqs.arm(FailedEntries(), "DeleteMessageBatch", times=3)
            await ground.send(*(reading(n) for n in range(30)))
            await ground.until_empty()
            await service.scrape()
            assert service.total("ingestor_queue_failures_total") > 0
            assert ground.site.custody.redelivered == 0

            for_good = FailedEntries(each=1, code="ReceiptHandleIsInvalid", sender_fault=True)
            ground.sqs.arm(for_good, "DeleteMessageBatch")
            await ground.send(*(reading(n) for n in range(30, 60)))
            await ground.until_empty()
            await service.finish()

        assert 1 <= ground.site.custody.redelivered <= 10
        assert await ground.sequences() == list(range(60))
        assert await ground.stack.take_dead_letters() == []

    async def test_f13_deletes_fail(self, ground: Ground) -> None:
        """A delete that failed, or whose reply was lost, is repeated: nothing comes again."""
        ground.sqs.arm(Status(500, "error"), "DeleteMessageBatch", times=2)
        ground.sqs.arm(Reset(applied=True), "DeleteMessageBatch", times=2)
        async with ground.service() as service:
            await ground.send(*(reading(n) for n in range(60)))
            await ground.until(lambda: not ground.sqs.armed)
            await ground.until_empty()
            await service.finish()

        assert ground.sqs.applied == {"error": 2, "reset-after-applied": 2}
        assert ground.site.custody.redelivered == 0
        assert await ground.sequences() == list(range(60))

    async def test_f15_receives_fail(self, ground: Ground) -> None:
        """Throttled, failing and unreadable receives are waited out, and all is stored then."""
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

    async def test_f17_one_poison_message_in_five_hundred(self, ground: Ground) -> None:
        """It is dead-lettered with its reason, and its neighbours are stored."""
        bodies = [reading(n) for n in range(499)]
        bodies.insert(250, "poison")
        async with ground.service() as service:
            await ground.send(*bodies)
            await ground.until_empty()
            await service.finish()

        [letter] = await ground.stack.take_dead_letters()
        assert letter.body == "poison"
        assert letter.why.startswith("decode not-json")
        assert await ground.sequences() == list(range(499))

    async def test_f18_sink_down_longer_than_all_receives(self, ground: Ground) -> None:
        """An outage longer than all receives of a message stops receiving, and burns none."""
        await ground.visibility(2)
        await ground.most_receives(2)
        async with ground.service() as service:
            await ground.send(*(reading(n) for n in range(20)))
            await ground.until_stored(20)
            ground.influxdb.down = True
            await ground.send(*(reading(n) for n in range(20, 40)))
            await ground.until_not_ready(service, "influxdb")
            # The polls under way end, and then more than two receives of two seconds each: the
            # time is what this is about.
            await asyncio.sleep(2)
            await ground.send(*(reading(n) for n in range(40, 60)))
            await asyncio.sleep(4.5)
            received = ground.site.custody.received
            ground.influxdb.down = False
            await ground.until_empty()
            await service.finish()

        assert received <= 40
        assert await ground.sequences() == list(range(60))
        assert ground.site.custody.redelivered == 0
        assert await ground.stack.take_dead_letters() == []

    async def test_f19_redriven_with_another_id(self, ground: Ground) -> None:
        """What comes again as a new message is the same point, by the time that the device gave."""
        bodies = [reading(n, sensordatetime=f"{TODAY}T00:00:{n:02}") for n in range(30)]
        async with ground.service() as service:
            await ground.send(*bodies)
            await ground.until_stored(30)
            await ground.until_empty()
            await ground.send(*bodies)
            await ground.until(lambda: ground.site.custody.received >= 60)
            await ground.until_empty()
            await service.finish()

        assert await ground.sequences() == list(range(30))

    async def test_f20_everything_comes_twice(self, ground: Ground) -> None:
        """Every message sent twice, each copy delivered twice, makes no extra point."""
        bodies = [reading(n, sensordatetime=f"{TODAY}T00:00:{n:02}") for n in range(50)]
        ground.sqs.arm(Duplicates(), "ReceiveMessage", times=100)
        async with ground.service() as service:
            await ground.send(*(each for body in bodies for each in (body, body)))
            await ground.until(lambda: ground.site.custody.received >= 200)
            await ground.until_empty()
            await service.finish()

        assert await ground.sequences() == list(range(50))
        assert await ground.stack.take_dead_letters() == []

    @pytest.mark.parametrize("client", ["lean", "aioboto3"])
    async def test_f50_polls_leave_room_for_deletes(
        self, ground: Ground, client: Literal["lean", "aioboto3"], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While as many polls wait as there may be, a delete is done before any of them ends."""
        for name, value in ground.site.environment().items():
            monkeypatch.setenv(name, value)
        opened = open_sqs(
            queue_url=ground.stack.queue_url,
            dead_letter_queue_url=None,
            wait_seconds=20,
            pollers=10,
            client=client,
        )
        async with opened as queue:
            await ground.send(reading(1))
            [message] = await queue.receive()
            async with asyncio.TaskGroup() as group:
                polls = [group.create_task(queue.receive()) for _ in range(11)]
                await ground.until(lambda: ground.sqs.requests >= 10)
                receipt = Receipt(message.message_id, message.receipt_handle)
                assert await queue.delete([receipt]) == []
                assert not any(poll.done() for poll in polls)
                for poll in polls:
                    poll.cancel()
        await ground.until_empty()


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


async def test_f16_a_backlog_that_is_not_handed_out_shows() -> None:
    """At the queue's cap the depth tells that messages wait, while none is received."""
    clock = FakeClock()
    r = rig(clock=clock, queue=EmptyHanded(clock=clock))
    r.send_readings(5)
    async with r.running():
        await r.clock.advance(20)

        assert r.pipeline.gauges["queue_visible"] == 5
        assert r.totals.received == 0

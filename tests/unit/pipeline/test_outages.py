"""Dependencies that are down, slow or odd: messages wait, nothing is lost, nothing is burnt."""

import asyncio
from collections.abc import Sequence

import pytest
from support.rig import KNOWN, reading, rig

from ingestor.adapters.memory import FakeClock, Fault, MemoryQueue
from ingestor.core.message import Lease, Receipt
from ingestor.core.metadata import Metadata
from ingestor.pipeline.leases import LeaseKeeper
from ingestor.ports import Failure, Unavailable

DOWN = Unavailable("it is down")


async def test_sink_down_for_an_hour() -> None:
    """During the outage nothing is received or lost; afterwards all is stored, received once."""
    r = rig()
    async with r.running():
        r.send_readings(5)
        r.sink.fault = DOWN
        await r.until(lambda: r.totals.write_retries)
        receives = r.queue.receives
        r.send_readings(0)
        r.send(*(reading(n) for n in range(100, 110)))
        await r.clock.advance(3600)

        assert r.queue.receives - receives <= r.limits.pollers  # the polls that were under way
        assert r.telemetry.down == {"influxdb": "it is down"}
        assert r.queue.deleted == []
        r.sink.fault = None
        await r.until(lambda: len(r.queue.deleted) == 15, most_seconds=30)

    assert len(r.sink.points) == 15
    assert set(r.queue.receive_counts.values()) == {1}
    assert r.totals.lease_extensions > 100


async def test_stored_although_the_reply_was_lost() -> None:
    """A write whose reply is lost is repeated, and overwrites itself."""
    r = rig()
    async with r.running():
        r.sink.fault, r.sink.stores_before_fault = DOWN, True
        r.send_readings(3)
        await r.until(lambda: r.totals.write_retries)
        r.sink.fault = None
        await r.until(lambda: len(r.queue.deleted) == 3)

    assert len(r.sink.points) == 3
    assert len(r.sink.writes) > 1


async def test_retry_after_is_honoured() -> None:
    """The sink says when to come again, and is left alone until then."""
    r = rig()
    async with r.running():
        r.send_readings(1)
        r.sink.fault = Unavailable("throttled", retry_after_seconds=42)
        await r.until(lambda: r.sink.writes)
        r.sink.fault = None
        await r.clock.advance(41)
        assert len(r.sink.writes) == 1

        await r.clock.advance(1.5)
        assert len(r.sink.writes) == 2


async def test_nothing_is_received_before_first_contact() -> None:
    """Until the sink answered once, messages stay in the queue."""
    r = rig()
    r.sink.fault = DOWN
    r.send_readings(1)

    async with r.running():
        await r.clock.advance(600)
        assert r.queue.receives == 0

        r.sink.fault = None
        await r.until(lambda: r.queue.deleted)


async def test_metadata_store_down() -> None:
    """Unknown is not missing: nothing is stored untagged, nothing received, all is kept."""
    r = rig()
    r.store.fault = DOWN
    r.send_readings(30)

    async with r.running():
        await r.clock.advance(300)
        assert r.sink.points == {}
        assert r.pipeline.gauges["waiting_for_metadata"] > 0
        assert r.telemetry.down == {"dynamodb": "it is down"}

        r.store.fault = None
        await r.until(lambda: len(r.queue.deleted) == 30)

    assert all("family=sensors" in series for series, _ in r.sink.points)
    assert set(r.queue.receive_counts.values()) == {1}


async def test_one_key_unanswered() -> None:
    """The message whose key was not answered waits; the others do not wait with it."""
    r = rig()
    r.store.records["late"] = Metadata({"family": "late"})
    r.store.unanswered = {"late"}
    r.send(reading(1, metakey="late"), reading(2))

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 1)
        await r.clock.advance(60)
        assert len(r.sink.points) == 1

        r.store.unanswered.clear()
        await r.until(lambda: len(r.queue.deleted) == 2)

    assert any("family=late" in series for series, _ in r.sink.points)


async def test_hold_gives_the_message_back() -> None:
    """With policy `hold` a message without a record comes again after a while, and then passes."""
    r = rig(policy="hold", hold_seconds=300)
    [message] = r.send(reading(1, metakey="new"))

    async with r.running():
        await r.until(lambda: r.totals.released == 1)
        assert r.sink.points == {}
        r.store.records["new"] = Metadata({"family": "new"})
        await r.clock.advance(290)
        assert r.queue.receive_counts[message] == 1
        await r.until(lambda: r.queue.deleted, most_seconds=30)

    assert r.queue.receive_counts[message] == 2


async def test_reject_dead_letters_the_message() -> None:
    """With policy `reject` a message without a record is dead-lettered."""
    r = rig(policy="reject")
    r.send(reading(1, metakey="new"))

    async with r.running():
        await r.until(lambda: r.queue.deleted)

    assert [letter.rejection.reason for letter in r.queue.dead_letters] == ["no-metadata"]


async def test_receive_fails_for_a_while() -> None:
    """A queue that does not answer is asked again, ever more seldom, and then all goes on."""
    r = rig(pollers=1)
    r.queue.faults["receive"].extend([Fault(DOWN)] * 8)
    r.send_readings(3)

    async with r.running():
        await r.clock.advance(1)
        assert r.queue.receives <= 6
        assert r.telemetry.down["sqs"] == "it is down"
        await r.until(lambda: len(r.queue.deleted) == 3)

        assert "sqs" not in r.telemetry.down


@pytest.mark.parametrize("applied", [False, True])
async def test_delete_fails_as_a_whole(*, applied: bool) -> None:
    """A delete without an answer is repeated, whether it had worked or not."""
    r = rig()
    r.queue.faults["delete"].extend([Fault(DOWN, applied=applied)] * 3)
    r.send_readings(3)

    async with r.running():
        await r.until(lambda: r.totals.deleted == 3)

    assert len(r.queue.deleted) == 3
    assert set(r.queue.receive_counts.values()) == {1}


async def test_one_entry_of_a_delete_fails() -> None:
    """The failed entry alone is tried again."""
    r = rig()
    refused = iter([Failure("message-1", "InternalError", permanent=False)] * 2)
    r.queue.refuse = lambda call, key: (
        next(refused, None) if (call, key) == ("delete", "message-1") else None
    )
    r.send_readings(3)

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 3)

    assert r.queue.deleted[-1] == "message-1"
    assert r.totals.queue_failures == 2


async def test_a_delete_that_can_never_work() -> None:
    """A receipt that the queue does not accept is let go: the message comes again."""
    r = rig()
    refused = iter([Failure("message-1", "ReceiptHandleIsInvalid", permanent=True)])
    r.queue.refuse = lambda call, key: (
        next(refused, None) if (call, key) == ("delete", "message-1") else None
    )
    r.send_readings(3)

    async with r.running():
        await r.until(lambda: r.totals.abandoned == 1)
        assert r.pipeline.gauges["window_messages"] == 0
        await r.until(lambda: len(r.queue.deleted) == 3)

    assert len(r.sink.points) == 3


async def test_delivered_again_during_its_delete() -> None:
    """A delete with a receipt that is outdated by then is repeated with the newest one."""
    r = rig(pollers=1)
    gate = r.queue.gates["delete"] = asyncio.Event()
    r.queue.refuse = lambda call, key: (
        Failure(key, "InternalError", permanent=False) if call == "extend" else None
    )
    r.send_readings(1)

    async with r.running():
        await r.until(lambda: r.totals.received == 2)
        gate.set()
        await r.until(lambda: r.queue.deleted)

    assert r.totals.duplicates == 1
    assert r.totals.deleted == 1


async def test_dead_letter_queue_down() -> None:
    """Poison stays until the dead-letter queue took it: its delete comes after that."""
    r = rig()
    r.queue.faults["dead_letter"].extend([Fault(DOWN)] * 16)
    r.send("poison")

    async with r.running():
        await r.clock.advance(0.2)
        assert (r.queue.dead_letters, r.queue.deleted) == ([], [])
        await r.until(lambda: r.queue.deleted)

    assert len(r.queue.dead_letters) == 1
    assert r.totals.rejected == 1


async def test_dead_letter_refused() -> None:
    """A letter refused for now is sent again; one that can never be sent is left to the redrive."""
    r = rig()
    for_now = iter([Failure("message-0", "InternalError", permanent=False)])
    for_ever = iter([Failure("message-1", "MessageTooLong", permanent=True)])
    r.queue.refuse = lambda call, key: (
        next({"message-0": for_now, "message-1": for_ever}[key], None)
        if call == "dead_letter"
        else None
    )
    r.send("poison", "worse")

    async with r.running():
        await r.until(lambda: r.totals.abandoned == 1 and r.totals.rejected == 1)

        assert [letter.message.body for letter in r.queue.dead_letters] == ["poison"]
        assert "message-1" not in r.queue.deleted


async def test_release_fails_for_a_while() -> None:
    """Giving a message back is tried again, as a whole and by entry, until it worked."""
    r = rig(policy="hold", pollers=1)
    r.queue.faults["extend"].append(Fault(DOWN))
    refused = iter([Failure("message-0", "InternalError", permanent=False)])
    r.queue.refuse = lambda call, _: next(refused, None) if call == "extend" else None
    r.send(reading(1, metakey="new"))

    async with r.running():
        await r.until(lambda: r.totals.released == 1)

    assert r.totals.queue_failures == 1


async def test_depth_unknown() -> None:
    """A queue that does not tell its depth is no failure of the service."""
    r = rig()
    r.queue.faults["depth"].append(Fault(DOWN))

    async with r.running():
        assert r.pipeline.depth.latest is None
        await r.until(lambda: r.pipeline.depth.latest is not None)


async def test_leases_are_kept_through_failures() -> None:
    """A lease call that fails is repeated in time; the message is not delivered twice."""
    r = rig(pollers=1)
    async with r.running():
        r.sink.hang = asyncio.Event()
        r.send_readings(15)
        await r.until(lambda: r.sink.writes)
        r.queue.faults["extend"].extend([Fault(DOWN)] * 3)
        refused = iter([Failure("message-3", "InternalError", permanent=False)])
        r.queue.refuse = lambda call, key: (
            next(refused, None) if (call, key) == ("extend", "message-3") else None
        )
        await r.clock.advance(29)
        r.sink.hang.set()
        await r.until(lambda: len(r.queue.deleted) == 15)

    assert set(r.queue.receive_counts.values()) == {1}
    assert r.totals.lease_extensions >= 14


class FarQueue(MemoryQueue):
    """Whose extensions take a fortieth of the visibility."""

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> list[Failure]:
        """See Queue."""
        await self._clock.sleep(self.visibility_timeout_seconds / 40)
        return await super().extend(receipts, seconds)


async def test_many_leases_over_slow_calls() -> None:
    """Thousands of leases are all renewed in time although each call is slow."""
    clock = FakeClock()
    r = rig(clock=clock, queue=FarQueue(clock=clock))
    r.send_readings(3000)
    intake = r.pipeline.intake
    while r.queue.waiting:
        intake.admit(await r.queue.receive(), Lease(clock.monotonic(), clock.monotonic() + 30.0))
    keeper = LeaseKeeper(queue=r.queue, intake=intake, context=r.context)
    run = asyncio.create_task(keeper.run(), name="leases")

    for _ in range(90):
        await clock.advance(1)
        assert not r.queue.waiting

    assert r.totals.lease_extensions > 3 * 3000
    run.cancel()


async def test_leases_end_at_twelve_hours() -> None:
    """Up to the queue's cap a lease is kept; past it nothing is asked for any more."""
    r = rig()
    r.send_readings(12)
    asked: list[float] = []
    r.queue.refuse = lambda _, key: (
        asked.append(r.clock.monotonic()) if key == "message-0" else None
    )
    for _ in range(2):
        messages = await r.queue.receive()
        r.pipeline.intake.admit(messages, Lease(r.clock.monotonic(), r.clock.monotonic() + 30.0))
    keeper = LeaseKeeper(queue=r.queue, intake=r.pipeline.intake, context=r.context)
    run = asyncio.create_task(keeper.run(), name="leases")

    await r.clock.advance(12 * 3600 - 1)
    assert len(r.queue.in_flight) == 12
    await r.clock.advance(3600)

    assert len(r.queue.waiting) == 12
    assert asked[-1] < 12 * 3600
    assert len(asked) < 12 * 3600 / 15 * 1.5
    run.cancel()


async def test_hopeless_lease() -> None:
    """An extension that the queue can never grant is not asked for in a loop."""
    r = rig(pollers=1)
    asked = 0

    def refuse(call: str, key: str) -> Failure | None:
        nonlocal asked
        asked += call == "extend"
        return Failure(key, "MessageNotInflight", permanent=True) if call == "extend" else None

    r.queue.refuse = refuse
    async with r.running():
        r.sink.hang = asyncio.Event()
        r.send_readings(1)
        await r.clock.advance(29)
        r.sink.hang.set()
        await r.until(lambda: r.queue.deleted)

    assert 1 <= asked <= 3


async def test_known_key_is_the_default() -> None:
    """The rig's own record is what its readings name."""
    assert rig().store.records.keys() == {KNOWN}

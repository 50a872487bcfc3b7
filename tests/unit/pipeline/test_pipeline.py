"""The way of messages through the whole pipeline, on virtual time."""

import asyncio
import json
from collections import Counter

import pytest
from support.rig import reading, rig

from ingestor.core.metadata import Metadata
from ingestor.ports import QueueDepth


async def test_everything_is_stored_enriched_and_deleted() -> None:
    """Messages come out as enriched points, and the queue is empty afterwards."""
    r = rig()
    sent = r.send_readings(25)

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 25, most_seconds=2)

    assert sorted(r.queue.deleted) == sorted(sent)
    assert len(r.sink.points) == 25
    assert all("family=sensors" in series for series, _ in r.sink.points)
    assert r.queue.dead_letters == []
    assert set(r.queue.receive_counts.values()) == {1}
    assert (r.totals.received, r.totals.stored, r.totals.deleted) == (25, 25, 25)


async def test_what_is_at_hand_is_not_looked_up() -> None:
    """Messages whose record is at hand are stored beside those that have to be looked up."""
    r = rig()
    r.store.known["key-1"] = Metadata({"family": "at-hand"})
    r.send(reading(1, metakey="key-1"), reading(2), reading(3, metakey="key-1"), "{")

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 4)

    assert len(r.sink.points) == 3
    assert sum("family=at-hand" in series for series, _ in r.sink.points) == 2
    assert all("key-1" not in keys for keys in r.store.fetches)
    assert r.store.known.used == 2
    assert len(r.queue.dead_letters) == 1


async def test_all_is_at_hand() -> None:
    """Nothing is looked up then, and nothing parsed."""
    r = rig()
    r.store.known["key-1"] = Metadata({"family": "at-hand"})
    r.send(*(reading(n, metakey="key-1") for n in range(3)))

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 3)

    assert len(r.sink.points) == 3
    assert r.store.fetches == []


async def test_a_batch_waits_for_its_age() -> None:
    """A lonely message is written when its batch is old enough, and not before."""
    r = rig(batch_seconds=0.5)

    async with r.running():
        r.send(reading(1))
        await r.clock.advance(0.5)
        assert r.sink.writes == []

        await r.clock.advance(0.03)
        assert len(r.sink.writes) == 1


async def test_a_full_batch_waits_for_nothing() -> None:
    """A batch with enough lines is written at once."""
    r = rig(batch_lines=10)
    r.send_readings(20)

    async with r.running():
        await r.clock.advance(0.03)

        assert [len(lines) for lines in r.sink.writes] == [10, 10]


async def test_poison_among_good() -> None:
    """Bad messages are dead-lettered with a reason and deleted; every good one is stored."""
    r = rig()
    bad = r.send("", "[]", "{", reading(1, deviceid=""), reading(2, pressure="high"))
    good = r.send_readings(7)

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 12)

    assert sorted(letter.message.message_id for letter in r.queue.dead_letters) == sorted(bad)
    assert Counter(letter.rejection.reason for letter in r.queue.dead_letters) == {
        "not-json": 2,
        "not-an-object": 1,
        "missing-tag": 1,
        "bad-field": 1,
    }
    assert len(r.sink.points) == len(good)
    assert r.totals.rejected == 5


@pytest.mark.parametrize("stores_neighbours", [True, False])
async def test_the_refused_line_alone_is_dead_lettered(*, stores_neighbours: bool) -> None:
    """The sink refuses one line of a body: its message goes, its neighbours are stored."""
    r = rig()
    r.sink.stores_neighbours = stores_neighbours
    r.sink.is_bad = lambda line: b"sensorID=d13c" in line
    sent = r.send_readings(30)

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 30)

    [letter] = r.queue.dead_letters
    assert letter.message.message_id == sent[13]
    assert letter.rejection.reason == "refused-by-influxdb"
    assert len(r.sink.points) == 29
    assert r.totals.refusals >= 3


async def test_a_line_that_is_too_large() -> None:
    """A body that is too large is halved; a single line that is too large is dead-lettered."""
    r = rig()
    r.sink.most_bytes = 300
    r.send(*(reading(n) for n in range(6)), reading(7, deviceid="x" * 400))

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 7)

    [letter] = r.queue.dead_letters
    assert letter.rejection.reason == "line-too-large"
    assert len(r.sink.points) == 6


async def test_duplicates_are_stored_once() -> None:
    """A queue that delivers everything twice costs nothing: newest receipt, one point."""
    r = rig()
    r.queue.duplicates = True
    r.send_readings(8)

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 8)

    assert len(r.sink.points) == 8
    assert r.totals.duplicates == 8
    assert len(r.sink.writes) == 1


async def test_readings_that_overwrite_one_another_are_counted() -> None:
    """Two readings of a device at one moment are one point, and there is a trace of the other."""
    r = rig()
    moment = "2023-11-14T22:13:20.001"
    r.send(*(reading(n, deviceid="twin", sensordatetime=moment) for n in (1, 2, 2)), reading(3))

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 4)

    assert len(r.sink.points) == 2
    assert r.totals.collisions == 1
    assert "readings overwrite one another" in [each["event"] for each in r.events]


async def test_the_window_bounds_what_is_held() -> None:
    """With the sink hanging, what is received stays near the size of the window."""
    r = rig(window_messages=20, pollers=2)
    r.sink.hang = asyncio.Event()
    r.sink.hang.set()
    async with r.running():
        r.sink.hang.clear()
        r.send_readings(200)
        await r.clock.advance(60)

        assert 20 <= r.pipeline.gauges["window_messages"] <= 40
        r.sink.hang.set()
        await r.until(lambda: len(r.queue.deleted) == 200)

    assert set(r.queue.receive_counts.values()) == {1}


async def test_the_window_counts_bytes() -> None:
    """Few large messages fill the window as many small ones do."""
    r = rig(window_bytes=10_000, pollers=1)
    r.sink.hang = asyncio.Event()
    r.sink.hang.set()
    async with r.running():
        r.sink.hang.clear()
        r.send(*(reading(n, note="x" * 5_000) for n in range(100)))
        await r.clock.advance(60)

        assert r.pipeline.gauges["window_messages"] == 10
        r.sink.hang.set()
        await r.until(lambda: len(r.queue.deleted) == 100)


async def test_gauges_and_depth() -> None:
    """The gauges know the window and, once the queue was asked, its depth."""
    r = rig()
    r.queue.gates["depth"] = asyncio.Event()

    async with r.running():
        assert "queue_visible" not in r.pipeline.gauges
        r.queue.gates["depth"].set()
        r.send_readings(3)
        await r.until(lambda: r.pipeline.depth.latest == QueueDepth(0, 0))

        assert r.pipeline.gauges["queue_visible"] == 0
        assert r.pipeline.gauges["window_messages"] == 0


async def test_a_defect_ends_the_service() -> None:
    """A task that fails unexpectedly takes the whole pipeline with it, loudly."""
    r = rig()
    r.store.fault = ZeroDivisionError("a defect")
    r.send_readings(1)

    run = asyncio.create_task(r.pipeline.run(r.stop), name="pipeline")
    await r.until(run.done)

    with pytest.raises(ExceptionGroup) as failure:
        await run
    assert failure.group_contains(ZeroDivisionError)


async def test_identity_does_not_depend_on_the_delivery() -> None:
    """A second delivery, from another queue and later, gives the same point."""
    body = reading(1, sensordatetime="2023-11-14T22:13:20")
    first, second = rig(), rig()
    for r in (first, second):
        if r is second:
            await r.clock.advance(100)
        r.send(body)
        async with r.running():
            await r.until(lambda r=r: r.queue.deleted or r.sink.points)

    assert first.sink.points == second.sink.points


async def test_logs_hold_no_payload() -> None:
    """Whatever becomes of a message, its content is not in the logs."""
    r = rig()
    r.sink.is_bad = lambda line: b"d3c" in line
    r.send(reading(1), reading(2, pressure="topsecret"), reading(3, note="topsecret"), "topsecret")

    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 4)

    assert "topsecret" not in json.dumps(r.events)
    assert {"messages dead-lettered", "batch written"} <= {each["event"] for each in r.events}

"""A mapping that refuses nearly everything must not empty the queue into the dead letters."""

from support.rig import reading, rig

from ingestor.pipeline.arrivals import BURST
from ingestor.ports import BATCH


async def test_stops_when_most_is_refused() -> None:
    """From then on nothing is dead-lettered or received, and readiness says what to do."""
    r = rig(guard_messages=20, pollers=1, settlers=1)
    r.send(*(f"poison {n}" for n in range(5_000)))
    async with r.running():
        await r.clock.advance(120)

        assert len(r.queue.dead_letters) <= 20
        assert len(r.queue.waiting) >= 5_000 - 4 * BURST * BATCH
        assert "guard" in r.telemetry.down
        assert "INGESTOR_GUARD_MESSAGES" in r.telemetry.down["guard"]

    assert len(r.queue.waiting) + len(r.queue.dead_letters) == 5_000
    assert r.queue.in_flight == []


async def test_a_refused_line_counts() -> None:
    """What InfluxDB refuses is refused, too."""
    r = rig(guard_messages=20)
    r.sink.is_bad = lambda line: b"sensorID=d" in line
    r.send_readings(40)
    async with r.running():
        await r.clock.advance(60)

        assert "guard" in r.telemetry.down

    assert len(r.queue.waiting) + len(r.queue.dead_letters) == 40


async def test_poison_among_good_goes_on() -> None:
    """As long as half is good all goes its way."""
    r = rig(guard_messages=20)
    for n in range(60):
        r.send(reading(n), f"poison {n}") if n % 2 else r.send(reading(n), reading(n + 100))
    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 120)

    assert len(r.queue.dead_letters) == 30
    assert "guard" not in r.telemetry.down

"""The service's own figures beside the readings."""

import asyncio
from collections.abc import Sequence

import pytest
from support.rig import Rig, rig

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.pipeline.pipeline import Pipeline
from ingestor.pipeline.report import Reporter
from ingestor.ports import Refused, Unavailable

FIGURES = b"ingestor,task=t stored="


def reporting(every_seconds: float = 10.0) -> Rig:
    """A rig whose pipeline reports how much is stored."""
    r = rig()

    def figures(time_ns: int, _: float) -> Sequence[bytes]:
        return [FIGURES + f"{float(r.totals.stored)} {time_ns}".encode()]

    reporter = Reporter(
        sink=r.sink, figures=figures, every_seconds=every_seconds, context=r.context
    )
    r.pipeline = Pipeline(
        queue=r.queue,
        store=r.store,
        sink=r.sink,
        encoder=Encoder(parse_mapping(DEFAULT_MAPPING)),
        context=r.context,
        limits=r.limits,
        reporter=reporter,
    )
    return r


def reports(r: Rig) -> list[tuple[bytes, ...]]:
    """The writes that hold figures."""
    return [lines for lines in r.sink.writes if any(line.startswith(FIGURES) for line in lines)]


async def test_figures_are_written_at_the_start_and_then_at_intervals() -> None:
    """The first report is the zero that rates are counted from."""
    r = reporting()
    async with r.running():
        await r.until(lambda: len(reports(r)) == 1)
        r.send_readings(3)
        await r.until(lambda: len(reports(r)) == 3)
        assert r.clock.monotonic() >= 20

    assert reports(r)[0][0].startswith(FIGURES + b"0.0 ")
    assert reports(r)[2][0].startswith(FIGURES + b"3.0 ")


async def test_figures_never_share_a_body_with_readings() -> None:
    """What InfluxDB thinks of the one says nothing about the other."""
    r = reporting(every_seconds=0.1)
    r.send_readings(50)
    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == 50)

    assert all(len(lines) == 1 for lines in reports(r))


@pytest.mark.parametrize("fault", [Unavailable("not now"), Refused("field type conflict")])
async def test_a_report_that_fails_hurts_nobody(fault: Exception) -> None:
    """It is counted and said once; readings are stored, and the intake stays as it is."""
    r = reporting()
    async with r.running():
        await r.until(lambda: len(reports(r)) == 1)
        for _ in range(2):
            failures = r.totals.report_failures
            r.sink.fault = fault
            await r.until(lambda n=failures: r.totals.report_failures > n)
            r.sink.fault = None
        assert not r.pipeline.intake.blocked
        r.send_readings(3)
        await r.until(lambda: len(r.queue.deleted) == 3)
        await r.until(lambda: len(reports(r)) == 4)
        r.sink.fault = fault
        await r.until(lambda: r.totals.report_failures == 3)
        r.sink.fault = None

    said = [each["reason"] for each in r.events if each["event"] == "own figures not stored"]
    assert said == [str(fault), str(fault)]  # once before it worked again, once after
    assert r.totals.write_retries == 0


async def test_nothing_is_reported_to_a_sink_that_is_down() -> None:
    """An outage is not a reason to ask more often."""
    r = reporting()
    async with r.running():
        await r.until(lambda: len(reports(r)) == 1)
        r.sink.fault = Unavailable("down")
        r.send_readings(1)
        await r.until(lambda: r.totals.write_retries > 5)
        writes = len(reports(r))
        await r.clock.advance(60)
        assert len(reports(r)) == writes
        r.sink.fault = None
        await r.until(lambda: len(reports(r)) > writes)


async def test_a_report_that_hangs_holds_up_neither_readings_nor_the_stop() -> None:
    """It waits on its own."""
    r = reporting()
    r.sink.hang = asyncio.Event()
    r.sink.hang.set()
    async with r.running():
        await r.until(lambda: len(reports(r)) == 1)
        r.sink.hang.clear()
        await r.until(lambda: len(reports(r)) == 2)
        hanging, r.sink.hang = r.sink.hang, None
        r.send_readings(3)
        await r.until(lambda: len(r.queue.deleted) == 3)

    assert not hanging.is_set()
    assert r.pipeline.state == "stopped"

"""The service's own figures as points."""

import io
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from ingestor.adapters.memory.lines import Point, parse_line
from ingestor.core.message import Attributes, Message, Reason, Rejected, Stage
from ingestor.telemetry.catalogue import GAUGES, Totals
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger
from ingestor.telemetry.points import Points
from ingestor.telemetry.usage import usage

TAGS = {"task": "t 1", "host": "h"}


@pytest.fixture
def telemetry() -> Telemetry:
    """Figures of a service that has done nothing yet."""
    return Telemetry(make_logger("error", "json", io.StringIO()))


def points(telemetry: Telemetry, *, tags: Mapping[str, str] = TAGS, **gauges: float) -> list[Point]:
    """What is written at one moment, as InfluxDB reads it."""
    own = Points(telemetry, gauges=lambda: gauges, dependencies=("sqs", "influxdb"), tags=tags)
    parsed = [parse_line(line) for line in own.lines(time_ns=1_700_000_000_000_000_000, now=10)]
    return [point for point in parsed if point is not None]


def test_every_counter_and_gauge_is_a_float_field(telemetry: Telemetry) -> None:
    """One type for ever, so that no version of the service conflicts with another."""
    telemetry.totals.stored = 7

    figures = points(telemetry, window_messages=3)[0]

    assert (figures.series, figures.time_ns) == (
        "ingestor,host=h,task=t\\ 1",
        1_700_000_000 * 10**9,
    )
    assert set(figures.fields) > {each.name for each in fields(Totals)}
    assert (figures.fields["stored"], figures.fields["window_messages"]) == (7.0, 3.0)
    assert {type(value) for value in figures.fields.values()} == {float}


def test_quantiles_appear_with_the_first_values(telemetry: Telemetry) -> None:
    """No lag is not a lag of zero."""
    assert "lag_p50_seconds" not in points(telemetry)[0].fields
    held = Message("id", "handle", "body", Attributes(1000))

    telemetry.stored([held], time_ns=3_000_000_000, now=9)
    telemetry.written(lines=1, size_bytes=9, seconds=0.004, now=9)

    figures: dict[str, Any] = dict(points(telemetry)[0].fields)
    assert 1.5 <= figures["lag_p50_seconds"] <= figures["lag_p95_seconds"] <= 2.0
    assert 0 < figures["write_p50_seconds"] <= figures["write_p99_seconds"] <= 0.005


def test_a_dependency_that_is_down_is_0(telemetry: Telemetry) -> None:
    """As in /metrics."""
    telemetry.dependency_down("sqs", "it does not answer")

    figures = points(telemetry)[0].fields

    assert (figures["up_sqs"], figures["up_influxdb"]) == (0.0, 1.0)


def test_every_reason_is_there_before_the_first_dead_letter(telemetry: Telemetry) -> None:
    """Else the first letter would be a first value, and no increase that an alert can see."""
    rejected = points(telemetry)[1:]
    assert {point.fields["messages"] for point in rejected} == {0.0}
    assert {point.series for point in rejected} == {
        f"ingestor_rejected,host=h,reason={reason},task=t\\ 1" for reason in Reason
    }

    both = [Rejected(stage, Reason.INTERNAL_ERROR, "") for stage in (Stage.DECODE, Stage.MAP)]
    telemetry.dead_lettered(both)

    counts = {point.series: point.fields["messages"] for point in points(telemetry)[1:]}
    assert counts["ingestor_rejected,host=h,reason=internal-error,task=t\\ 1"] == 2.0
    assert sum(map(float, counts.values())) == 2.0


def test_what_no_tag_can_hold_is_left_out(telemetry: Telemetry) -> None:
    """A name set by hand breaks no line."""
    assert points(telemetry, tags={"host": "a\nb", "task": "c\\", "version": ""})[0].series == (
        "ingestor"
    )


def test_usage_names_gauges_of_the_catalogue() -> None:
    """What the process took so far is more than nothing."""
    taken = usage()

    assert taken.keys() <= GAUGES.keys()
    assert taken["cpu_seconds"] > 0
    assert taken["max_resident_bytes"] > 1_000_000

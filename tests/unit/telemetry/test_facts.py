"""Operational facts, once per batch."""

import io
import json

import pytest

from ingestor.core.message import Attributes, Message, Reason, Rejected, Stage
from ingestor.telemetry.catalogue import COUNTERS, GAUGES
from ingestor.telemetry.exposition import Exposition
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger


class Book:
    """Telemetry whose log can be read."""

    def __init__(self, level: str = "debug") -> None:
        self._out = io.StringIO()
        self.telemetry = Telemetry(make_logger(level, "json", self._out))

    def events(self) -> list[dict[str, object]]:
        """The log events so far, without their time."""
        events = [json.loads(line) for line in self._out.getvalue().splitlines()]
        for event in events:
            del event["timestamp"]
        return events


@pytest.fixture
def book() -> Book:
    """A fresh one."""
    return Book()


def held(sent_at_ms: int = 0, count: int = 1, body: str = "secret-payload") -> Message:
    """A held message."""
    return Message("id", "handle", body, Attributes(sent_at_ms, count))


def test_received_counts_redeliveries_and_duplicates_apart(book: Book) -> None:
    """A redelivery came before; a duplicate came while it was held."""
    messages = [held(), held(count=2), held(count=3)]

    book.telemetry.received(messages, fresh=2)

    totals = book.telemetry.totals
    assert (totals.received, totals.redelivered, totals.duplicates) == (3, 2, 1)
    assert totals.received_bytes == 3 * len("secret-payload")


def test_lag_is_measured_from_the_entry_into_the_queue(book: Book) -> None:
    """A message from the future, by a clock ahead of ours, has no lag."""
    book.telemetry.stored([held(1000), held(9000)], time_ns=3_000_000_000, now=0)

    assert book.telemetry.lag.sum == 2.0
    assert book.telemetry.totals.stored == 2


def test_rejections_are_counted_and_logged_by_reason_without_their_detail(book: Book) -> None:
    """A detail may quote the payload; it belongs into the dead letter, not into a log."""
    bad = Rejected(Stage.MAP, Reason.BAD_FIELD, "secret-detail")

    book.telemetry.dead_lettered([bad, bad])

    assert book.telemetry.rejections == {("map", "bad-field"): 2}
    assert book.events() == [
        {
            "count": 2,
            "event": "messages dead-lettered",
            "level": "warning",
            "reason": "bad-field",
            "stage": "map",
        }
    ]


def test_an_outage_is_logged_at_its_begin_and_its_end(book: Book) -> None:
    """Repeated failures with the same reason are one event."""
    for _ in range(3):
        book.telemetry.dependency_down("influxdb", "connection refused")
    for _ in range(2):
        book.telemetry.dependency_up("influxdb")

    assert [event["event"] for event in book.events()] == [
        "dependency not available",
        "dependency available",
    ]


def test_every_other_fact_is_counted(book: Book) -> None:
    """Each call moves its own counter."""
    telemetry = book.telemetry
    telemetry.written(lines=5, size_bytes=100, seconds=0.1, now=0)
    telemetry.refused(lines=5, too_large=False)
    telemetry.write_retried()
    telemetry.deleted(4)
    telemetry.released(2, why="stop")
    telemetry.released(0, why="nothing")
    telemetry.abandoned(1, why="receipt")
    telemetry.queue_entries_failed("delete", ["InternalError", "InternalError"])
    telemetry.leases_extended(7)
    telemetry.stored_without_metadata(3)
    telemetry.tick(0.0)
    totals = telemetry.totals

    assert (totals.lines, totals.line_bytes, totals.batches) == (5, 100, 1)
    assert (totals.refusals, totals.write_retries, totals.deleted) == (1, 1, 4)
    assert (totals.released, totals.abandoned, totals.queue_failures) == (2, 1, 2)
    assert (totals.lease_extensions, totals.without_metadata) == (7, 3)
    assert [event["event"] for event in book.events()] == [
        "batch written",
        "body refused",
        "messages released",
        "messages abandoned",
        "queue entries failed",
    ]


def test_a_level_silences_what_is_below_it() -> None:
    """Per-batch events are for debugging only."""
    book = Book("info")
    book.telemetry.written(lines=5, size_bytes=100, seconds=0.1, now=0)

    assert book.events() == []


def test_a_console_logger_writes_plain_text_to_a_file() -> None:
    """Colours are for terminals."""
    out = io.StringIO()
    make_logger("info", "console", out).info("hello", count=1)

    assert "hello" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_the_exposition_shows_every_figure_of_the_catalogue(book: Book) -> None:
    """Counters, gauges, rejections by reason, dependencies, and cumulative histograms."""
    telemetry = book.telemetry
    telemetry.dead_lettered([Rejected(Stage.MAP, Reason.BAD_FIELD, "x")])
    telemetry.deleted(4)
    telemetry.stored([held(0)], time_ns=400_000_000, now=0)
    telemetry.dependency_down("sqs", "throttled")
    exposition = Exposition(
        telemetry,
        gauges=lambda: dict.fromkeys(GAUGES, 7),
        dependencies=("sqs", "influxdb"),
    )

    text = exposition.render().decode()

    for name in COUNTERS:
        assert f"\ningestor_{name}_total" in text
    for name in GAUGES:
        assert f"\ningestor_{name} 7.0" in text
    assert "ingestor_deleted_total 4.0" in text
    assert 'ingestor_rejected_total{reason="bad-field",stage="map"} 1.0' in text
    assert 'ingestor_dependency_up{dependency="sqs"} 0.0' in text
    assert 'ingestor_dependency_up{dependency="influxdb"} 1.0' in text
    assert 'ingestor_lag_seconds_bucket{le="0.3"} 0.0' in text
    assert 'ingestor_lag_seconds_bucket{le="0.4"} 1.0' in text
    assert 'ingestor_lag_seconds_bucket{le="+Inf"} 1.0' in text
    assert "ingestor_lag_seconds_count 1.0" in text
    assert "secret" not in text


def test_the_loop_lag_is_the_worst_of_ten_ticks(book: Book) -> None:
    """A stall stays visible until the next report has seen it, and then goes."""
    telemetry = book.telemetry
    assert telemetry.loop_lag_seconds == 0.0

    telemetry.tick(0, late_seconds=-0.1)
    telemetry.tick(1, late_seconds=0.7)
    for now in range(2, 11):
        telemetry.tick(now, late_seconds=0.01)
    assert telemetry.loop_lag_seconds == 0.7

    telemetry.tick(11, late_seconds=0.01)
    assert telemetry.loop_lag_seconds == 0.01


def test_a_failing_report_is_logged_when_its_reason_changes(book: Book) -> None:
    """Every ten seconds the same words would hide others."""
    for reason in ("full", "full", "conflict"):
        book.telemetry.report_failed(reason)
    book.telemetry.reported()
    book.telemetry.report_failed("conflict")

    assert book.telemetry.totals.report_failures == 4
    assert [each["reason"] for each in book.events()] == ["full", "conflict", "conflict"]

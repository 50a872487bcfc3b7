"""Devices: metadata records, and what is stored of them.

A device is a record. Its readings are found by the tags that the record's key gives them, so a
mapping that keeps the key attribute from the tags hides them (`include`, `exclude`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ingestor.console import model
from ingestor.console.calls import Call
from ingestor.console.editing import etag_of, record_of
from ingestor.console.index import MOST_RECORDS, Keys, RecordIndex, Snapshot, matching, page_of
from ingestor.console.problems import Refuse, unusable
from ingestor.console_ports import Point, RecordTable, SeriesReader, Span, Value, Window
from ingestor.core.prefix import escape_measurement, escape_name
from ingestor.core.scalars import float_text, string_text
from ingestor.ports import Clock, Unavailable

SECOND_NS = 10**9
REPORTING_SECONDS = 300
PRESENT_SECONDS = 15.0
"""How long the set of devices that report is taken for what it was."""
LATEST_DAYS = 30
SPARK_STEPS = 30
SPARK_STEP_NS = 120 * SECOND_NS
MOST_SPARKS = 4
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
DAY_SECONDS = 86_400
NO_PAYLOAD = (
    "Payloads are not kept: a message is deleted when it is stored. These are the readings as they "
    "are stored; what was refused is among the dead letters."
)


class Devices:
    """Answers about devices. Reads only."""

    def __init__(
        self, *, reader: SeriesReader, table: RecordTable, index: RecordIndex, clock: Clock
    ) -> None:
        self._reader = reader
        self._table = table
        self._index = index
        self._keys: Keys = index.keys
        self._clock = clock
        self._present: tuple[float, frozenset[str]] | None = None
        self._asking = asyncio.Lock()

    async def page(self, call: Call) -> model.DevicePage:
        """One page of devices, with what was stored of them last; without that when it is down."""
        snapshot = await self._index.get()
        problems: list[str] = []
        present: frozenset[str] | None = None
        async with _noting(problems):
            present = await self._reporting()
        state = call.text("state")
        if state != "all" and present is None:
            raise Unavailable(problems[0])
        found = matching(snapshot, call.text("q"), call.query["where"])
        if state != "all":
            found = [key for key in found if (key in (present or ())) == (state == "reporting")]
        page, following = page_of(found, call.text("cursor"), call.whole("limit") or 0)
        latest: list[Point] = []
        sparks: list[Window] = []
        async with _noting(problems):
            latest = await self._latest(page)
            sparks = await self._sparks(page)
        return model.DevicePage(
            items=[self._row(key, snapshot, present, latest, sparks) for key in page],
            next=following,
            total=len(found),
            index=self._index.state(snapshot),
            problems=list(dict.fromkeys(problems)),
        )

    async def counts(self) -> model.DeviceCounts:
        """How many devices there are, and how many report."""
        snapshot = await self._index.get()
        present = await self._reporting()
        reporting = sum(key in snapshot.records for key in present)
        return model.DeviceCounts(
            known=len(snapshot.records),
            reporting=reporting,
            silent=len(snapshot.records) - reporting,
            window_seconds=REPORTING_SECONDS,
        )

    async def detail(self, call: Call) -> model.DeviceDetail:
        """One device; it may have readings without a record, and a record without readings."""
        key = key_of(call, self._keys)
        item = await self._table.get(key)
        latest = await self._latest([key])
        if item is None and not latest:
            raise Refuse(404, "There is neither a record nor a reading of this device.")
        types = await self._reader.fields()
        present = await self._reporting()
        name, sort_key = self._keys.split(key)
        return model.DeviceDetail(
            key=name,
            sort_key=sort_key,
            record=None if item is None else record_of(item, self._keys),
            etag=None if item is None else etag_of(item),
            reporting=key in present,
            latest=[_latest(point) for point in latest],
            fields=[
                model.FieldInfo(measurement=each.measurement, field=field, type=kind)  # type: ignore[arg-type]  # InfluxDB's own words are these
                for each in latest
                for field, kind in sorted(types.get(each.measurement, {}).items())
            ],
            last_lines=[_line(point) for point in latest],
            last_payload=None,
            last_payload_note=NO_PAYLOAD,
        )

    async def series(self, call: Call) -> model.DeviceSeries:
        """Fields of one measurement over a range."""
        measurement = call.needed("measurement")
        span = span_of(*range_of(call), call.whole("points") or 1)
        where = [self._keys.tags(key_of(call, self._keys))]
        windows = await self._reader.windows(
            span, functions=("mean", "min", "max"), where=where, measurement=_name(measurement)
        )
        fields: dict[str, model.Curve] = {}
        for window in windows:
            for field in dict.fromkeys(name for _, name in window.values):
                values = window.values
                fields[field] = model.Curve(
                    mean=values["mean", field],
                    min=values["min", field],
                    max=values["max", field],
                )
        return model.DeviceSeries(
            measurement=measurement,
            times=times_of(span),
            step_seconds=span.step_ns // SECOND_NS,
            fields=fields,
        )

    async def points(self, call: Call, limit: int) -> list[Point]:
        """Every reading of one measurement over a range, up to a limit."""
        begin_ms, end_ms = range_of(call)
        return await self._reader.points(
            measurement=_name(call.needed("measurement")),
            where=[self._keys.tags(key_of(call, self._keys))],
            begin_ns=begin_ms * 10**6,
            end_ns=end_ms * 10**6,
            limit=limit,
        )

    async def _latest(self, keys: Sequence[str]) -> list[Point]:
        if not keys:
            return []
        return await self._reader.last(
            where=[self._keys.tags(key) for key in keys],
            group=self._keys.names(),
            since_ns=self._clock.time_ns() - LATEST_DAYS * DAY_SECONDS * SECOND_NS,
        )

    async def _sparks(self, keys: Sequence[str]) -> list[Window]:
        if not keys:
            return []
        end = self._clock.time_ns() // SPARK_STEP_NS + 1
        return await self._reader.windows(
            Span((end - SPARK_STEPS) * SPARK_STEP_NS, SPARK_STEP_NS, SPARK_STEPS),
            functions=("mean",),
            where=[self._keys.tags(key) for key in keys],
            group=self._keys.names(),
        )

    async def _reporting(self) -> frozenset[str]:
        """The keys of devices with a reading in the window."""
        async with self._asking:  # one query for all who wait for it
            now = self._clock.monotonic()
            if self._present is None or now - self._present[0] > PRESENT_SECONDS:
                since_ns = self._clock.time_ns() - REPORTING_SECONDS * SECOND_NS
                names = self._keys.names()
                found = await self._reader.present(names, since_ns=since_ns, limit=MOST_RECORDS)
                self._present = now, frozenset(self._keys.join(*_parts(each)) for each in found)
            return self._present[1]

    def _row(
        self,
        key: str,
        snapshot: Snapshot,
        present: frozenset[str] | None,
        latest: Sequence[Point],
        sparks: Sequence[Window],
    ) -> model.Device:
        name, sort_key = self._keys.split(key)
        tags = self._keys.tags(key)
        own = [
            model.Spark(measurement=window.measurement, field=field, values=values)
            for window in sparks
            if window.tags == tags
            for (_, field), values in window.values.items()
        ]
        return model.Device(
            key=name,
            sort_key=sort_key,
            attributes=snapshot.records[key],
            reporting=None if present is None else key in present,
            latest=[_latest(point) for point in latest if point.tags == tags],
            sparks=own[:MOST_SPARKS],
        )


def key_of(call: Call, keys: Keys) -> str:
    """The key that a request names."""
    try:
        return keys.join(call.needed("key"), call.text("sort_key"))
    except ValueError as error:
        raise unusable("sort_key", str(error)) from error


def range_of(call: Call) -> tuple[int, int]:
    """Begin and end in milliseconds."""
    end = call.whole("to_ms")
    if end is None:
        end = time.time_ns() // 10**6
    begin = call.whole("from_ms")
    if begin is None:
        begin = max(0, end - 3_600_000)
    if begin >= end:
        raise unusable("from_ms", "the begin must lie before the end")
    return begin, end


def span_of(begin_ms: int, end_ms: int, points: int) -> Span:
    """Even steps over a range, at most so many (and one more at the edge)."""
    seconds = (end_ms - begin_ms) / 1000
    step = next((each for each in STEPS if seconds / each <= points), None)
    if step is None:
        step = -(-int(seconds) // points // DAY_SECONDS) * DAY_SECONDS or DAY_SECONDS
        step = max(step, DAY_SECONDS)
    begin = begin_ms // 1000 // step
    end = -(-end_ms // 1000 // step)
    return Span(begin * step * SECOND_NS, step * SECOND_NS, max(1, end - begin))


def times_of(span: Span) -> list[int]:
    """When each step begins, in epoch seconds."""
    begin, step = span.begin_ns // SECOND_NS, span.step_ns // SECOND_NS
    return [begin + n * step for n in range(span.steps)]


@asynccontextmanager
async def _noting(problems: list[str]) -> AsyncIterator[None]:
    """Within the block an outage is a remark: the rest of the answer is worth having."""
    try:
        yield
    except Unavailable as error:
        problems.append(error.reason)


def _parts(values: Sequence[str]) -> tuple[str, str | None]:
    return values[0], values[1] if len(values) > 1 else None


def _name(measurement: str) -> str:
    if "\0" in measurement:
        raise unusable("measurement", "no name has this character")
    return measurement


def _latest(point: Point) -> model.Latest:
    return model.Latest(
        measurement=point.measurement, time_ms=point.time_ns // 10**6, fields=point.fields
    )


def _line(point: Point) -> str:
    series = escape_measurement(point.measurement) + "".join(
        f",{escape_name(name)}={escape_name(value)}" for name, value in point.tags.items() if value
    )
    values = ",".join(
        f"{escape_name(name)}={_text(value)}" for name, value in sorted(point.fields.items())
    )
    return f"{series} {values} {point.time_ns}"


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i"
        case float():
            return float_text(value)
        case str():
            return string_text(value)

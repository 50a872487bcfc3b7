"""Devices: what is stored of them, and the metadata record that their readings name.

A device is a value of the device tag; its record is found by the tags that the record's key gives
to readings, so a mapping that keeps the key from the tags (`include`, `exclude`) hides records.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from ingestor.console import model
from ingestor.console.calls import Call
from ingestor.console.downloads import MOST_READINGS, line_of, readings_csv
from ingestor.console.editing import etag_of, record_of
from ingestor.console.fleet import MOST_DEVICES, REPORTING_SECONDS, SECOND_NS, Fleet, Seen
from ingestor.console.fleet import Devices as Known
from ingestor.console.index import RecordIndex, page_of, search
from ingestor.console.problems import Refuse, unusable
from ingestor.console.spans import range_of, span_of, times_of
from ingestor.console_ports import Point, RecordTable, SeriesReader, Span, Window
from ingestor.core.tablekeys import Keys
from ingestor.ports import Clock, Unavailable

LATEST_DAYS = 30
SPARK_STEPS = 30
SPARK_STEP_NS = 120 * SECOND_NS
MOST_SPARKS = 4
DAY_SECONDS = 86_400
NO_PAYLOAD = (
    "Payloads are not kept: a message is deleted when it is stored. These are the readings as they "
    "are stored; what was refused is among the dead letters."
)


class Devices:
    """Answers about devices. Reads only."""

    def __init__(
        self,
        *,
        reader: SeriesReader,
        table: RecordTable,
        index: RecordIndex,
        fleet: Fleet,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._table = table
        self._index = index
        self._fleet = fleet
        self._keys: Keys = index.keys
        self._tag = fleet.device_tag
        self._clock = clock

    async def page(self, call: Call) -> model.DevicePage:
        """One page of devices, with what was stored of them last.

        Without their records while the table cannot be read, unless they are searched for.
        """
        known = await self._fleet.known.get()
        reporting = await self._fleet.reporting.get()
        problems: list[str] = []
        records: Mapping[str, dict[str, str]] = {}
        async with _noting(problems):
            records = (await self._index.get()).records
        if problems and call.query["where"]:
            raise Unavailable(problems[0])
        state = call.text("state")
        found = await asyncio.to_thread(
            search, call.text("q"), call.query["where"], self._candidates(known, records)
        )
        if state != "all":
            found = [name for name in found if (name in reporting) == (state == "reporting")]
        page, following = page_of(found, call.text("cursor"), call.whole("limit") or 0)
        latest: list[Point] = []
        sparks: list[Window] = []
        async with _noting(problems):
            latest = await self._latest(page)
            sparks = await self._sparks(page)
        return model.DevicePage(
            items=[
                self._row(name, known.by_id[name], records, name in reporting, latest, sparks)
                for name in page
            ],
            next=following,
            total=len(found),
            index=model.IndexState(
                records=len(known.order),
                age_seconds=round(self._fleet.reporting.age_seconds, 1),
                complete=len(known.order) < MOST_DEVICES,
            ),
            problems=list(dict.fromkeys(problems)),
        )

    async def counts(self) -> model.DeviceCounts:
        """How many devices there are, and how many report."""
        known = await self._fleet.known.get()
        reporting = await self._fleet.reporting.get()
        count = len(known.by_id.keys() | reporting)
        return model.DeviceCounts(
            known=count,
            reporting=len(reporting),
            silent=count - len(reporting),
            window_seconds=REPORTING_SECONDS,
        )

    async def detail(self, call: Call) -> model.DeviceDetail:
        """One device, also one that has been silent for longer than the list knows."""
        name = call.needed("id")
        points = await self._latest([name], self._keys.names())
        if not points:
            raise Refuse(404, f"There is no reading of this device of the last {LATEST_DAYS} days.")
        newest = max(points, key=lambda point: point.time_ns)
        # A device whose record has changed has older series too.
        latest = [
            max(of_one, key=lambda point: point.time_ns)
            for of_one in _by_measurement(points).values()
        ]
        key = self._key_in(newest.tags)
        item = None if key is None else await self._table.get(key)
        types = await self._reader.fields()
        partition, sort_key = (None, None) if key is None else self._keys.split(key)
        age_ns = self._clock.time_ns() - newest.time_ns
        return model.DeviceDetail(
            id=name,
            key=partition,
            sort_key=sort_key,
            record=None if item is None else record_of(item, self._keys),
            etag=None if item is None else etag_of(item),
            last_seen_ms=newest.time_ns // 10**6,
            reporting=age_ns <= REPORTING_SECONDS * SECOND_NS,
            latest=[_latest(point) for point in latest],
            fields=[
                model.FieldInfo(measurement=each.measurement, field=field, type=kind)  # type: ignore[arg-type]  # InfluxDB's own words are these
                for each in latest
                for field, kind in sorted(types.get(each.measurement, {}).items())
            ],
            last_lines=[line_of(point) for point in latest],
            last_payload=None,
            last_payload_note=NO_PAYLOAD,
        )

    async def series(self, call: Call) -> model.DeviceSeries:
        """Fields of one measurement over a range."""
        measurement = call.needed("measurement")
        span = span_of(*range_of(call), call.whole("points") or 1)
        where = [{self._tag: call.needed("id")}]
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

    async def download(self, call: Call) -> web.Response:
        """Every reading of one measurement over a range, up to a limit."""
        begin_ms, end_ms = range_of(call)
        points = await self._reader.points(
            measurement=_name(call.needed("measurement")),
            where=[{self._tag: call.needed("id")}],
            begin_ns=begin_ms * 10**6,
            end_ns=end_ms * 10**6,
            limit=MOST_READINGS + 1,
        )
        return readings_csv(points)

    async def _latest(self, names: Sequence[str], group: Sequence[str] = ()) -> list[Point]:
        if not names:
            return []
        return await self._reader.last(
            where=[{self._tag: name} for name in names],
            group=(self._tag, *group),
            since_ns=self._clock.time_ns() - LATEST_DAYS * DAY_SECONDS * SECOND_NS,
        )

    async def _sparks(self, names: Sequence[str]) -> list[Window]:
        if not names:
            return []
        end = self._clock.time_ns() // SPARK_STEP_NS + 1
        return await self._reader.windows(
            Span((end - SPARK_STEPS) * SPARK_STEP_NS, SPARK_STEP_NS, SPARK_STEPS),
            functions=("mean",),
            where=[{self._tag: name} for name in names],
            group=(self._tag,),
        )

    @staticmethod
    def _candidates(
        known: Known, records: Mapping[str, dict[str, str]]
    ) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        nothing: dict[str, str] = {}
        for name in list(known.order):
            key = known.by_id[name].key
            yield name, key, records.get(key, nothing)

    def _row(
        self,
        name: str,
        seen: Seen,
        records: Mapping[str, dict[str, str]],
        reporting: bool,  # noqa: FBT001 - one column of the row
        latest: Sequence[Point],
        sparks: Sequence[Window],
    ) -> model.Device:
        partition, sort_key = self._keys.split(seen.key) if seen.key else (None, None)
        own = [
            model.Spark(measurement=window.measurement, field=field, values=values)
            for window in sparks
            if window.tags[self._tag] == name
            for (_, field), values in window.values.items()
        ]
        points = [point for point in latest if point.tags[self._tag] == name]
        last_ns = max([seen.last_ns, *(point.time_ns for point in points)])
        return model.Device(
            id=name,
            key=partition,
            sort_key=sort_key,
            attributes=records.get(seen.key, {}),
            last_seen_ms=last_ns // 10**6,
            reporting=reporting,
            latest=[_latest(point) for point in points],
            sparks=own[:MOST_SPARKS],
        )

    def _key_in(self, tags: Mapping[str, str]) -> str | None:
        parts = [tags.get(name, "") for name in self._keys.names()]
        if not parts[0]:
            return None
        return self._keys.join(parts[0], parts[1] if len(parts) > 1 else None)


def _by_measurement(points: Sequence[Point]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point.measurement, []).append(point)
    return found


@asynccontextmanager
async def _noting(problems: list[str]) -> AsyncIterator[None]:
    """Within the block an outage is a remark: the rest of the answer is worth having."""
    try:
        yield
    except Unavailable as error:
        problems.append(error.reason)


def _name(measurement: str) -> str:
    if "\0" in measurement:
        raise unusable("measurement", "no name has this character")
    return measurement


def _latest(point: Point) -> model.Latest:
    return model.Latest(
        measurement=point.measurement, time_ms=point.time_ns // 10**6, fields=point.fields
    )

"""A time series database in memory."""

import asyncio
from collections.abc import Callable, Sequence

from ingestor.adapters.memory.lines import Point, Value, parse_line
from ingestor.ports import Refused


class MemorySink:
    """A `TimeSeriesSink` that reads every line, as InfluxDB does.

    `points` maps (series, time in ns) to fields, so that the same line twice is one point.
    `writes` holds the lines of every call. A line is bad when it cannot be parsed, when one of its
    fields has another type than before, or when `is_bad` says so. While `fault` is set, `write`
    and `ping` raise it; with `stores_before_fault`, `write` raises it after having stored.
    While `hang` is set and closed, both wait for it.

    Args:
        is_bad: Which lines to refuse beside those that InfluxDB would.
        stores_neighbours: Whether the good lines of a refused body are stored: that differs
            between versions of InfluxDB.
        most_bytes: Larger bodies are refused as too large.
    """

    def __init__(
        self,
        *,
        is_bad: Callable[[bytes], bool] | None = None,
        stores_neighbours: bool = True,
        most_bytes: int | None = None,
    ) -> None:
        self.is_bad = is_bad
        self.stores_neighbours = stores_neighbours
        self.most_bytes = most_bytes
        self.points: dict[tuple[str, int | None], dict[str, Value]] = {}
        self.writes: list[tuple[bytes, ...]] = []
        self.fault: Exception | None = None
        self.stores_before_fault = False
        self.hang: asyncio.Event | None = None
        self._types: dict[tuple[str, str], type] = {}

    def __repr__(self) -> str:
        return f"<MemorySink {len(self.points)} points from {len(self.writes)} writes>"

    async def write(self, lines: Sequence[bytes]) -> None:
        """See TimeSeriesSink."""
        self.writes.append(tuple(lines))
        await self._obstacles(applied=self.stores_before_fault)
        if self.most_bytes is not None and sum(len(line) + 1 for line in lines) > self.most_bytes:
            raise Refused("the body is too large", too_large=True)
        points, complaints = self._read(lines)
        if not complaints or self.stores_neighbours:
            for point in points:
                self._store(point)
        if complaints:
            raise Refused(f"partial write: {complaints[0]} dropped={len(complaints)}")
        await self._obstacles(applied=False)

    async def ping(self) -> None:
        """See TimeSeriesSink."""
        await self._obstacles(applied=False)

    async def _obstacles(self, *, applied: bool) -> None:
        if self.hang is not None:
            await self.hang.wait()
        if self.fault is not None and not applied:
            raise self.fault

    def _read(self, lines: Sequence[bytes]) -> tuple[list[Point], list[str]]:
        """The good points, and what is wrong with the other lines."""
        points, complaints = [], []
        for line in lines:
            try:
                point = parse_line(line)
            except ValueError as error:
                complaints.append(str(error))
                continue
            if self.is_bad is not None and self.is_bad(line):
                complaints.append("a bad line")
            elif point is not None and (conflict := self._conflict(point)):
                complaints.append(conflict)
            elif point is not None:
                points.append(point)
        return points, complaints

    def _conflict(self, point: Point) -> str | None:
        """What is wrong with the types of the point; takes note of the types of new fields."""
        for name, value in point.fields.items():
            known = self._types.setdefault((point.measurement, name), type(value))
            if known is not type(value):
                return f'field type conflict: input field "{name}" is not {known.__name__}'
        return None

    def _store(self, point: Point) -> None:
        self.points.setdefault((point.series, point.time_ns), {}).update(point.fields)

"""Stored readings in memory, as the console reads them."""

import re
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from ingestor.adapters.memory.lines import parse_line
from ingestor.console_ports import Function, Point, Span, Tags, Value, Window

_BETWEEN = re.compile(r"(?<!\\),")
_EQUALS = re.compile(r"(?<!\\)=")
_ESCAPED = re.compile(r"\\([,= ])")
_MAKE: dict[Function, Callable[[list[float]], float]] = {
    "mean": fmean,
    "min": min,
    "max": max,
    "last": lambda values: values[-1],
}
_TYPES = {float: "float", int: "integer", bool: "boolean", str: "string"}


class MemorySeries:
    """A `SeriesReader` over points; `write` adds lines. While `fault` is set every call raises it.

    Args:
        own: Measurements that are not devices'.
    """

    def __init__(self, *, own: frozenset[str] = frozenset()) -> None:
        self._own = own
        self.fault: Exception | None = None
        self.stored: list[Point] = []

    def write(self, lines: Iterable[bytes]) -> None:
        """Store lines, each with a time."""
        for line in lines:
            read = parse_line(line)
            if read is None or read.time_ns is None:
                continue
            name, *tags = _BETWEEN.split(read.series)
            pairs = (_EQUALS.split(tag) for tag in tags)
            tagged = {_plain(key): _plain(value) for key, value in pairs}
            self.stored.append(Point(_plain(name), tagged, read.time_ns, read.fields))
        self.stored.sort(key=lambda point: point.time_ns)

    async def last(
        self,
        *,
        where: Sequence[Tags],
        group: Sequence[str],
        since_ns: int,
        measurement: str | None = None,
    ) -> list[Point]:
        """See SeriesReader."""
        found: dict[tuple[str, ...], Point] = {}
        for point in self._chosen(measurement, where, since_ns, None):
            tags = {name: point.tags.get(name, "") for name in group}
            found[point.measurement, *tags.values()] = Point(
                point.measurement, tags, point.time_ns, point.fields
            )
        return list(found.values())

    async def windows(
        self,
        span: Span,
        *,
        functions: Sequence[Function],
        where: Sequence[Tags] = (),
        group: Sequence[str] = (),
        measurement: str | None = None,
    ) -> list[Window]:
        """See SeriesReader."""
        cells: dict[tuple[str, ...], dict[str, list[list[float]]]] = {}
        for point in self._chosen(measurement, where, span.begin_ns, span.end_ns):
            place = (point.measurement, *(point.tags.get(name, "") for name in group))
            step = (point.time_ns - span.begin_ns) // span.step_ns
            for field, value in point.fields.items():
                if isinstance(value, float | int) and not isinstance(value, bool):
                    columns = cells.setdefault(place, {})
                    column = columns.setdefault(field, [[] for _ in range(span.steps)])
                    column[step].append(float(value))
        return [
            Window(
                name,
                dict(zip(group, tags, strict=True)),
                {
                    (how, field): [_MAKE[how](cell) if cell else None for cell in column]
                    for field, column in columns.items()
                    for how in functions
                },
            )
            for (name, *tags), columns in cells.items()
        ]

    async def points(
        self, *, measurement: str, where: Sequence[Tags], begin_ns: int, end_ns: int, limit: int
    ) -> list[Point]:
        """See SeriesReader."""
        chosen = self._chosen(measurement, where, begin_ns, end_ns)
        return [Point(each.measurement, {}, each.time_ns, each.fields) for each in chosen][:limit]

    async def seen(
        self, group: Sequence[str], *, since_ns: int, limit: int
    ) -> dict[tuple[str, ...], int]:
        """See SeriesReader."""
        found = {
            tuple(point.tags.get(name, "") for name in group): point.time_ns
            for point in self._chosen(None, (), since_ns, None)
        }
        return dict(list(found.items())[:limit])

    async def fields(self) -> dict[str, dict[str, str]]:
        """See SeriesReader."""
        if self.fault is not None:
            raise self.fault
        schema: dict[str, dict[str, str]] = {}
        for point in self.stored:
            schema.setdefault(point.measurement, {}).update(_types(point.fields))
        return schema

    def _chosen(
        self, measurement: str | None, where: Sequence[Tags], begin_ns: int, end_ns: int | None
    ) -> list[Point]:
        if self.fault is not None:
            raise self.fault
        return [
            point
            for point in self.stored
            if (
                point.measurement == measurement
                if measurement
                else point.measurement not in self._own
            )
            and point.time_ns >= begin_ns
            and (end_ns is None or point.time_ns < end_ns)
            and (not where or any(tags.items() <= point.tags.items() for tags in where))
        ]


def _types(fields: dict[str, Value]) -> dict[str, str]:
    return {name: _TYPES[type(value)] for name, value in fields.items()}


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)

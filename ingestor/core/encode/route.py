"""One route of a mapping, compiled."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ingestor.core.decode import PayloadReader
from ingestor.core.encode.fields import field_text
from ingestor.core.encode.keys import key_of
from ingestor.core.encode.series import SeriesEncoder, Values
from ingestor.core.encode.short import Parts, short_way, text_way
from ingestor.core.encode.texts import rejected
from ingestor.core.encode.times import Clock
from ingestor.core.encode.wildcards import WildcardEncoder
from ingestor.core.mapping.model import Limits, MissingPolicy, Route
from ingestor.core.message import Reason, Rejected
from ingestor.core.metadata import Metadata
from ingestor.core.opened import Opened
from ingestor.core.prefix import escape_name


class Point(NamedTuple):
    """A reading on its way to a line: its series, escaped, its fields, and epoch nanoseconds."""

    prefix: str
    fields: list[str]
    ns: int

    def line(self) -> bytes:
        """The line, without a line end."""
        return f"{self.prefix} {','.join(self.fields)} {self.ns}".encode()


class RouteEncoder:
    """How the readings of one route become lines.

    What a line holds depends on the message, the record and `sent_at_ms` alone, so that a
    redelivery gives the same line. `missing` says what to do with a reading without a record.

    Whoever is in a hurry may try `of_text` first, see `TextLine`; None where there is no such way.
    `topic` is the member of a message that tells its topic.
    """

    def __init__(
        self, place: str, route: Route, limits: Limits, *, topic: str, cache_size: int
    ) -> None:
        self.place = place
        self.name = route.name or place
        self.rule = route
        self.missing = route.metadata.missing if route.metadata else MissingPolicy.WRITE
        self.has_metadata = route.metadata is not None
        self.metadata_key = key_of(route.metadata)
        self.reader = PayloadReader(route.payload, limits)
        self.series = SeriesEncoder(route, limits, cache_size=cache_size)
        self.wildcards = WildcardEncoder(route, limits)
        self._has_wildcards = bool(route.wildcards)
        self.clock = Clock(route.time)
        self._most_fields = limits.fields
        self.fields = [
            field_text(name, rule, most_text_bytes=limits.text_bytes)
            for name, rule in route.fields.items()
        ]
        parts = Parts(self.series, self.fields, self.clock, self._no_fields)
        self._short = short_way(route, parts)
        self.of_text = text_way(route, parts, topic)

    def encode(
        self, opened: Opened, records: Sequence[Metadata | None], *, sent_at_ms: int
    ) -> list[bytes]:
        """The lines of a message, one for each reading; `records[i]` belongs to `readings[i]`.

        A record is None when there is none; `sent_at_ms` is when the message entered the queue.

        Raises:
            Rejected: naming what cannot be used, and in which of several readings.
        """
        if len(opened.readings) > 1:
            return [point.line() for point in self.points(opened, records, sent_at_ms=sent_at_ms)]
        opened.record = records[0]
        reading = opened.readings[0]
        if self._short is not None and reading.__class__ is dict:
            return [self._short(reading, opened, sent_at_ms)]
        _, prefix, fields, ns = self._parts(reading, opened, 0, sent_at_ms)
        return [f"{prefix} {','.join(fields)} {ns}".encode()]

    def points(
        self, opened: Opened, records: Sequence[Metadata | None], *, sent_at_ms: int
    ) -> list[Point]:
        """The same before they are lines."""
        points = []
        taken: dict[tuple[Values, str, int], dict[str, str]] = {}
        for index, (reading, record) in enumerate(zip(opened.readings, records, strict=True)):
            opened.record = record
            try:
                values, prefix, fields, ns = self._parts(reading, opened, index, sent_at_ms)
            except Rejected as rejection:
                if len(opened.readings) > 1:
                    rejection.detail = f"reading {index}: {rejection.detail}"
                raise
            key = self.metadata_key(reading, opened) or ""
            points.append(_apart(Point(prefix, fields, ns), values, key, taken))
        return points

    def _parts(
        self, reading: Any, opened: Opened, index: int, sent_at_ms: int
    ) -> tuple[Values, str, list[str], int]:
        """The values of one reading's series, then the parts of its point."""
        values = self.series.values(reading, opened)
        prefix = self.series.prefix(values, opened.record)
        fields = [text for field in self.fields if (text := field(reading, opened))]
        if self._has_wildcards:
            tags = self.series.names_from(opened.record)
            fields += self.wildcards.fields(reading, opened, tags).values()
        if not fields:
            raise self._no_fields()
        if len(fields) > self._most_fields:
            what = f"there are {len(fields)}, and at most {self._most_fields} are allowed"
            raise rejected(Reason.TOO_MANY_FIELDS, "fields", what)
        return values, prefix, fields, self.clock.ns(reading, opened, index, sent_at_ms)

    @staticmethod
    def equals(name: str) -> str:
        """What stands before the value of a field."""
        return f"{escape_name(name)}="

    def _no_fields(self) -> Exception:
        places = [rule.places for rule in self.rule.fields.values()]
        if self._has_wildcards:
            places.append("anything that a wildcard wants")
        return rejected(Reason.NO_FIELDS, ", ".join(places), "none of them is there")


def _apart(
    point: Point, values: Values, key: str, taken: dict[tuple[Values, str, int], dict[str, str]]
) -> Point:
    """The point, moved on by nanoseconds when it would overwrite another of the same message.

    Readings of one series and time that say different things are different readings; those that
    hold different fields belong together, and those that are equal are one.
    """
    fields = dict(text.split("=", 1) for text in point.fields)
    ns = point.ns
    while True:
        there = taken.setdefault((values, key, ns), {})
        if all(there.get(name, text) == text for name, text in fields.items()):
            there |= fields
            return point._replace(ns=ns)
        ns += 1

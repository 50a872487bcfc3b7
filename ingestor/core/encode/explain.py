"""Which rule of the mapping produced each part of a line, for a person."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ingestor.core.encode.route import RouteEncoder
from ingestor.core.mapping.sources import Source
from ingestor.core.metadata import Metadata
from ingestor.core.opened import Opened


class Part(NamedTuple):
    """One part of a line: what it is, its text there, the rule, and where the value came from."""

    what: str
    text: str
    rule: str
    source: str


def explain(
    route: RouteEncoder, opened: Opened, records: Sequence[Metadata | None], *, sent_at_ms: int
) -> list[list[Part]]:
    """The parts of each line of a message that has lines: those of `route.encode`, in order."""
    points = route.points(opened, records, sent_at_ms=sent_at_ms)
    explained = []
    for reading, record, point in zip(opened.readings, records, points, strict=True):
        opened.record = record
        parts = [
            *_series(route, opened, reading),
            *_fields(route, opened, reading),
            Part(
                "time",
                str(point.ns),
                f"{route.place}.time",
                route.clock.source(reading, opened),
            ),
        ]
        explained.append(parts)
    return explained


def _series(route: RouteEncoder, opened: Opened, reading: object) -> Iterator[Part]:
    rule = route.rule
    values = route.series.values(reading, opened)
    measurement = rule.measurement.constant or values[0]
    place = f"{route.place}.measurement"
    yield Part("measurement", measurement, place, _source(rule.measurement))
    tags = {
        name: Part(f"tag {name}", value, f"{route.place}.metadata", f"attribute {name}")
        for name, value in route.series.attributes(opened.record).items()
    }
    for (name, tag), value in zip(
        rule.tags.items(), values[len(values) - len(rule.tags) :], strict=True
    ):
        if value:
            place = f"{route.place}.tags.{name}"
            tags[name] = Part(f"tag {name}", value, place, _source(tag))
    for name in sorted(tags):
        yield tags[name]


def _fields(route: RouteEncoder, opened: Opened, reading: object) -> Iterator[Part]:
    for (name, rule), field in zip(route.rule.fields.items(), route.fields, strict=True):
        if text := field(reading, opened):
            value = text.removeprefix(route.equals(name))
            yield Part(f"field {name}", value, f"{route.place}.fields.{name}", _source(rule))
    tags = route.series.names_from(opened.record)
    for name, text in route.wildcards.fields(reading, opened, tags).items():
        value = text.removeprefix(route.equals(name))
        place = f"{route.place}.wildcards[{route.wildcards.index(name)}]"
        yield Part(f"field {name}", value, place, f"member {name}")


def _source(source: Source) -> str:
    if source.path is not None:
        return f"path {source.path}"
    if source.template is not None:
        return f"template {source.template}"
    return f"constant {source.constant}"

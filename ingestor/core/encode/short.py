"""The short way: one function written for one route, for readings of the usual form.

Most readings are objects whose tags are texts, whose fields are numbers and whose time is
`2026-11-24T12:00:00`. What a person would write by hand for such a shape is written here by the
mapping: straight code without a call per tag and field, which takes half the time. Whatever is
unusual about a part of a reading is left to the complete function for that part, so that both
ways give the same line; a property test compares them.

The code is made of the numbers of the parts alone. Names, texts and functions of the mapping are
handed to it as values: nothing that a user wrote is ever executed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from zlib import crc32

from ingestor.core.encode.fields import EXACT, FieldText
from ingestor.core.encode.series import SeriesEncoder
from ingestor.core.encode.texts import Text
from ingestor.core.encode.times import Clock, content_of
from ingestor.core.mapping.model import Route
from ingestor.core.mapping.sources import FieldRule, Source
from ingestor.core.opened import Opened
from ingestor.core.paths import Path, single_name
from ingestor.core.prefix import escape_name
from ingestor.core.timestamps import NS_PER_SECOND, WholeSeconds
from ingestor.core.zones import parse_zone

Line = Callable[[dict[str, Any], Opened, int], bytes]
"""From an object, what it was opened from, and ms when it was sent, to a line."""


@dataclass(slots=True, frozen=True)
class Parts:
    """The complete functions of a route; those of fields in the order of the rules."""

    series: SeriesEncoder
    fields: Sequence[FieldText]
    clock: Clock
    no_fields: Callable[[], Exception]


def short_way(route: Route, parts: Parts) -> Line | None:
    """The function for a route; None when its names come from its readings."""
    if route.wildcards or route.measurement.constant is None:
        return None
    code = _Code()
    code.add(0, "def line(reading, opened, sent_at_ms):")
    code.add(1, "get = reading.get")
    for n, (source, text) in enumerate(zip(route.tags.values(), parts.series.tags, strict=True)):
        _tag(code, n, source, text)
    values = "".join(f"tag{n}, " for n in range(len(parts.series.tags)))
    code.add(1, f"series = {code.value(parts.series.known.young.get)}((opened.record, {values}))")
    code.add(1, "if series is None:")
    code.add(2, f"series = {code.value(parts.series.prefix)}(({values}), opened.record)")
    for n, (name, rule) in enumerate(route.fields.items()):
        _field(code, n, escape_name(name), rule, parts.fields[n])
    _field_set(code, len(parts.fields), parts.no_fields)
    _time(code, route, parts.clock)
    code.add(1, 'return f"{series} {fields} {ns}".encode()')
    return code.function("line")


class _Code:
    """Lines of a function, and the values that they refer to."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._values: dict[str, Any] = {}

    def add(self, depth: int, line: str) -> None:
        self._lines.append("    " * depth + line)

    def value(self, value: object) -> str:
        """A name for a value."""
        name = f"value{len(self._values)}"
        self._values[name] = value
        return name

    def function(self, name: str) -> Line:
        source = "\n".join(self._lines)
        exec(compile(source, "<route>", "exec"), self._values)  # noqa: S102 - see the module
        function: Line = self._values[name]
        return function


def _tag(code: _Code, n: int, source: Source, text: Text) -> None:
    names = [single_name(part) if isinstance(part, Path) else None for part in source.parts]
    if None in names:
        code.add(1, f"tag{n} = {code.value(text)}(reading, opened)")
        return
    for k, name in enumerate(names):
        code.add(1, f"part{k} = get({code.value(name)})")
    usual = " and ".join(f"part{k}.__class__ is str and part{k}" for k in range(len(names)))
    code.add(1, f"if {usual}:")
    code.add(2, f"tag{n} = {' + '.join(f'part{k}' for k in range(len(names)))}")
    code.add(1, "else:")
    code.add(2, f"tag{n} = {code.value(text)}(reading, opened)")


def _field(code: _Code, n: int, name: str, rule: FieldRule, text: FieldText) -> None:
    complete = f"field{n} = {code.value(text)}(reading, opened)"
    member = single_name(rule.path)
    if member is None or rule.type != "float" or rule.is_scaled:
        code.add(1, complete)
        return
    equals = code.value(f"{name}=")
    code.add(1, f"value = get({code.value(member)})")
    code.add(1, "kind = value.__class__")
    code.add(1, f"if kind is int and {-EXACT} < value < {EXACT}:")
    code.add(2, f'field{n} = f"{{{equals}}}{{value}}.0"')
    # JSON has finite floats only, and the other formats are read so.
    code.add(1, "elif kind is float:")
    code.add(2, f'field{n} = f"{{{equals}}}{{value!r}}"')
    code.add(1, "else:")
    code.add(2, complete)


def _field_set(code: _Code, count: int, no_fields: Callable[[], Exception]) -> None:
    names = [f"field{n}" for n in range(count)]
    code.add(1, f"if {' and '.join(names)}:")
    code.add(2, 'fields = f"{}"'.format(",".join(f"{{{name}}}" for name in names)))
    code.add(1, "else:")
    code.add(2, f'fields = ",".join([each for each in ({", ".join(names)},) if each])')
    code.add(2, "if not fields:")
    code.add(3, f"raise {code.value(no_fields)}()")


def _time(code: _Code, route: Route, clock: Clock) -> None:
    rule = route.time
    first = rule.paths[0] if rule.paths else None
    complete = f"ns = {code.value(clock.ns)}(reading, opened, 0, sent_at_ms)"
    name = single_name(first.path) if first else None
    if first is None or name is None or parse_zone(first.zone or rule.zone) is not UTC:
        code.add(1, complete)
        return
    seconds = WholeSeconds()
    known, learn = code.value(seconds.known.get), code.value(seconds.ns)
    code.add(1, f"value = get({code.value(name)})")
    code.add(1, f"ns = {known}(value) or {learn}(value) if value.__class__ is str else None")
    age = "sent_at_ms * 1000000 - ns"
    code.add(1, f"if ns is None or not {-clock.future_ns} <= {age} <= {clock.past_ns}:")
    code.add(2, complete)
    if rule.spread:
        code.add(1, "else:")
        code.add(2, "own = reading.copy()")
        for each in rule.envelope:
            code.add(2, f"own.pop({code.value(each)}, None)")
        crc = f"{code.value(crc32)}({code.value(content_of)}(own))"
        code.add(2, f"ns += {crc} * {NS_PER_SECOND} >> 32")

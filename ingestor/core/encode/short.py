"""The short ways: functions written for one route, for readings of the usual form.

Most readings are objects whose tags are texts, whose fields are numbers and whose time is
`2026-11-24T12:00:00`. What a person would write by hand for such a shape is written here by the
mapping: straight code without a call per tag and field, which takes half the time. Whatever is
unusual about a part of a reading is left to the complete function for that part, so that both
ways give the same line; a property test compares them.

There are two: from a reading that was opened, and, shorter still, from the text of a message whose
record is at hand.

The code is made of the numbers of the parts alone. Names, texts and functions of the mapping are
handed to it as values: nothing that a user wrote is ever executed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from zlib import crc32

from ingestor.core.decode.texts import decode_json
from ingestor.core.encode.fields import EXACT, FieldText
from ingestor.core.encode.keys import member_of
from ingestor.core.encode.series import SeriesEncoder
from ingestor.core.encode.texts import Text
from ingestor.core.encode.times import Clock, content_of
from ingestor.core.mapping.model import Route
from ingestor.core.mapping.sources import FieldRule, Source
from ingestor.core.metadata import Known, Metadata
from ingestor.core.opened import Opened
from ingestor.core.paths import Path, single_name
from ingestor.core.prefix import escape_name
from ingestor.core.timestamps import NS_PER_SECOND
from ingestor.core.zones import parse_zone

Line = Callable[[dict[str, Any], Opened, int], bytes]
"""From an object, what it was opened from, and ms when it was sent, to a line."""
TextLine = Callable[[str, int, Known], bytes | None]
"""From the text of a message, ms when it was sent, and the records at hand, to its line.

None when the message is none for this way: it is not one plain object, or its record is not at
hand. Of a message that cannot be read, or not be mapped, it raises anything: the complete way says
what is wrong.
"""


@dataclass(slots=True, frozen=True)
class Parts:
    """The complete functions of a route; those of fields in the order of the rules."""

    series: SeriesEncoder
    fields: Sequence[FieldText]
    clock: Clock
    no_fields: Callable[[], Exception]


def short_way(route: Route, parts: Parts) -> Line | None:
    """The function for readings of a route; None when its names come from its readings."""
    if not _is_regular(route):
        return None
    code = _Code()
    code.add(0, "def line(reading, opened, sent_at_ms):")
    _line(code, route, parts)
    line: Line = code.function("line")
    return line


def text_way(route: Route, parts: Parts, topic: str) -> TextLine | None:
    """The function for texts of a route that takes JSON as it is; None where there is none.

    `topic` is the member that tells the topic.
    """
    member = member_of(route.metadata)
    if not _is_regular(route) or (route.metadata and member is None):
        return None

    def opened(reading: dict[str, Any], record: Metadata | None) -> Opened:
        return Opened(reading, reading, reading.get(topic), [reading], record)

    code = _Code(opened)
    code.add(0, "def line(text, sent_at_ms, known):")
    # An object without another brace or bracket in its text is not nested.
    code.add(1, "if '{' in text[1:] or '[' in text:")
    code.add(2, "return None")
    code.add(1, f"reading = {code.value(decode_json)}(text)")
    code.add(1, "if reading.__class__ is not dict:")
    code.add(2, "return None")
    if member is None:
        code.add(1, "record = None")
    else:
        code.add(1, f"record = known[reading.get({code.value(member)})]")
        code.add(1, "if record is None:")
        code.add(2, "return None")
    _line(code, route, parts)
    line: TextLine = code.function("line")
    return line


def _is_regular(route: Route) -> bool:
    return not route.wildcards and route.measurement.constant is not None


def _line(code: "_Code", route: Route, parts: Parts) -> None:
    """From a reading and its record to the line."""
    for n, (source, text) in enumerate(zip(route.tags.values(), parts.series.tags, strict=True)):
        _tag(code, n, source, text)
    _series(code, parts.series)
    for n, (name, rule) in enumerate(route.fields.items()):
        _field(code, n, escape_name(name), rule, parts.fields[n])
    _field_set(code, len(parts.fields), parts.no_fields)
    _time(code, route, parts.clock)
    code.add(1, 'return f"{series} {fields} {ns}".encode()')


def _series(code: "_Code", series: SeriesEncoder) -> None:
    """What the record remembers, if it is that, or else what the encoder does."""
    count = len(series.tags)
    values = "".join(f"tag{n}, " for n in range(count))
    same = "".join(f" and own[{n + 1}] == tag{n}" for n in range(count))
    code.add(1, f"own = None if {code.record} is None else {code.record}.series")
    code.add(1, f"if own is not None and own[0] is {code.value(series.mark)}{same}:")
    code.add(2, f"series = own[{count + 1}]")
    code.add(1, "else:")
    code.add(2, f"series = {code.value(series.known.young.get)}(({code.record}, {values}))")
    code.add(2, "if series is None:")
    code.add(3, f"series = {code.value(series.prefix)}(({values}), {code.record})")


class _Code:
    """Lines of a function, and the values that they refer to.

    `opened` and `record` are how its lines call the message that was opened, and the record. A
    function that decodes the reading itself makes the former when it is needed, with
    `make_opened`; it owns the reading, and may change it.
    """

    def __init__(
        self, make_opened: Callable[[dict[str, Any], Metadata | None], Opened] | None = None
    ) -> None:
        self._lines: list[str] = []
        self._values: dict[str, Any] = {}
        self.owns_reading = make_opened is not None
        self.opened = "opened"
        self.record = "opened.record"
        if make_opened is not None:
            self.opened = f"{self.value(make_opened)}(reading, record)"
            self.record = "record"

    def add(self, depth: int, line: str) -> None:
        self._lines.append("    " * depth + line)

    def value(self, value: object) -> str:
        """A name for a value."""
        name = f"value{len(self._values)}"
        self._values[name] = value
        return name

    def function(self, name: str) -> Any:
        source = "\n".join(self._lines)
        exec(compile(source, "<route>", "exec"), self._values)  # noqa: S102 - see the module
        return self._values[name]


def _tag(code: _Code, n: int, source: Source, text: Text) -> None:
    names = [single_name(part) if isinstance(part, Path) else None for part in source.parts]
    if None in names:
        code.add(1, f"tag{n} = {code.value(text)}(reading, {code.opened})")
        return
    for k, name in enumerate(names):
        code.add(1, f"part{k} = reading.get({code.value(name)})")
    usual = " and ".join(f"part{k}.__class__ is str and part{k}" for k in range(len(names)))
    code.add(1, f"if {usual}:")
    code.add(2, f"tag{n} = {' + '.join(f'part{k}' for k in range(len(names)))}")
    code.add(1, "else:")
    code.add(2, f"tag{n} = {code.value(text)}(reading, {code.opened})")


def _field(code: _Code, n: int, name: str, rule: FieldRule, text: FieldText) -> None:
    complete = f"field{n} = {code.value(text)}(reading, {code.opened})"
    member = single_name(rule.path)
    if member is None or rule.type != "float" or rule.is_scaled:
        code.add(1, complete)
        return
    equals = code.value(f"{name}=")
    code.add(1, f"value = reading.get({code.value(member)})")
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
    complete = f"ns = {code.value(clock.ns)}(reading, {code.opened}, 0, sent_at_ms)"
    name = single_name(first.path) if first else None
    if first is None or name is None or parse_zone(first.zone or rule.zone) is not UTC:
        code.add(1, complete)
        return
    known, learn = code.value(clock.seconds.known.get), code.value(clock.seconds.learn)
    code.add(1, f"value = reading.get({code.value(name)})")
    code.add(1, f"seen = {known}(value) or {learn}(value) if value.__class__ is str else None")
    code.add(1, "if seen is None or not seen[1] <= sent_at_ms <= seen[2]:")
    code.add(2, complete)
    code.add(1, "else:")
    code.add(2, "ns = seen[0]")
    if rule.spread:
        if not code.owns_reading:
            code.add(2, "reading = reading.copy()")
        for each in rule.envelope:
            code.add(2, f"reading.pop({code.value(each)}, None)")
        crc = f"{code.value(crc32)}({code.value(content_of)}(reading))"
        code.add(2, f"ns += {crc} * {NS_PER_SECOND} >> 32")

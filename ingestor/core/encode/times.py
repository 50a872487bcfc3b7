"""The time of a reading, compiled from the mapping."""

from collections.abc import Callable
from typing import Any

import msgspec

from ingestor.core.encode.texts import rejected, text_of
from ingestor.core.mapping.model import TimeRule
from ingestor.core.mapping.sources import TimeSource
from ingestor.core.message import Reason
from ingestor.core.opened import Opened
from ingestor.core.paths import Getter, getter
from ingestor.core.timestamps import NS_PER_SECOND, Time, WholeSeconds, spread, time_parser
from ingestor.core.zones import parse_zone

_NS_PER_DAY = 86_400 * NS_PER_SECOND
content_of = msgspec.json.Encoder().encode
"""A reading as the bytes that its moment within a second is chosen by."""


class Clock:
    """Reads the time of readings: from the message alone, never from when it came.

    `seconds` remembers the usual form, for whoever is in a hurry.
    """

    def __init__(self, rule: TimeRule) -> None:
        self._rule = rule
        self.past_ns = int(rule.past_days * _NS_PER_DAY)
        self.future_ns = int(rule.future_days * _NS_PER_DAY)
        self.seconds = WholeSeconds(past_ns=self.past_ns, future_ns=self.future_ns)
        self._sources = [_compiled(each, rule) for each in rule.paths]

    def ns(self, reading: Any, opened: Opened, index: int, sent_at_ms: int) -> int:
        """Epoch nanoseconds of the reading with this index in its message.

        Raises:
            Rejected: when a time is there that is none, or lies outside the window.
        """
        sent_at_ns = sent_at_ms * 1_000_000
        for get, parse, place in self._sources:
            value = get(reading, opened)
            if value is None or value == "":
                continue
            try:
                ns, whole_second = parse(value)
            except ValueError as exc:
                raise rejected(Reason.BAD_TIME, place, exc) from exc
            if not sent_at_ns - self.past_ns <= ns <= sent_at_ns + self.future_ns:
                raise _outside(place, (sent_at_ns - ns) / _NS_PER_DAY)
            if whole_second and self._rule.spread:
                return spread(ns, self._content(reading, index))
            return ns
        if self._rule.required:
            places = ", ".join(place for _, _, place in self._sources) or "no paths"
            raise rejected(Reason.MISSING_TIME, places, "no time is there, and one is needed")
        return sent_at_ns

    def source(self, reading: Any, opened: Opened) -> str:
        """Which place the time comes from, for a person."""
        for get, _, place in self._sources:
            value = get(reading, opened)
            if value is not None and value != "":
                return place
        return "when the message entered the queue"

    def _content(self, reading: Any, index: int) -> bytes:
        """What the reading says, and which of its message it is: what equal readings differ in."""
        if reading.__class__ is dict:
            reading = reading.copy()
            for name in self._rule.envelope:
                reading.pop(name, None)
        content = content_of(reading)
        return b"%b%d" % (content, index) if index else content


def _compiled(source: TimeSource, rule: TimeRule) -> tuple[Getter, Callable[[object], Time], str]:
    parse = time_parser(source.unit or rule.unit, parse_zone(source.zone or rule.zone))
    get = getter(source.path) if source.path is not None else text_of(source, Reason.BAD_TIME)
    return get, parse, source.places


def _outside(place: str, age_days: float) -> Exception:
    what = (
        f"it lies {abs(age_days):.1f} days in the {'past' if age_days > 0 else 'future'}, "
        "beyond the window"
    )
    return rejected(Reason.TIME_OUT_OF_RANGE, place, what)

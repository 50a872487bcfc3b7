"""From a reading and what is known about its device to a line of InfluxDB line protocol."""

from collections.abc import Callable
from typing import Any

import msgspec

from ingestor.core.mapping import Mapping, MissingPolicy, unusable_name
from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.metadata import Metadata
from ingestor.core.paths import look_up, shown
from ingestor.core.prefix import PrefixCache, escape_measurement, escape_name, unusable_tag_value
from ingestor.core.scalars import (
    boolean_text,
    float_text,
    integer_text,
    scalar_text,
    string_text,
)
from ingestor.core.timestamps import NS_PER_SECOND, parse_time, spread

MOST_KEY_BYTES = 65_535
"""Longest measurement with tags (InfluxDB: `max key length exceeded`)."""
MOST_METADATA_KEY_BYTES = 2_048
"""Longest partition key (DynamoDB Developer Guide, limits)."""

_NS_PER_DAY = 86_400 * NS_PER_SECOND
_CONTENT = msgspec.json.Encoder()
_FIELD_TYPES: dict[str, Callable[[object], str]] = {
    "float": float_text,
    "integer": integer_text,
    "boolean": boolean_text,
    "string": string_text,
}


class Encoder:
    """A mapping, compiled. Keeps the escaped `measurement,tag=…` of the series it has seen.

    What a line holds depends on the reading, the record and `sent_at_ms` alone, so that a
    redelivery gives the same line. `missing` says what to do with a reading without a record.
    """

    def __init__(self, mapping: Mapping, *, prefix_cache_size: int = 200_000) -> None:
        (route,) = mapping.routes
        self.missing = route.metadata.missing if route.metadata else MissingPolicy.WRITE
        self._key_path = route.metadata.key if route.metadata else None
        self._measurement = escape_measurement(route.measurement)
        self._tags = [(name, rule.parts, rule.required) for name, rule in route.tags.items()]
        self._fields = [
            (f"{escape_name(name)}=", rule.path, _FIELD_TYPES[rule.type])
            for name, rule in route.fields.items()
        ]
        self._time = route.time
        self._not_from_metadata = {*route.tags, *route.fields}
        self._prefixes = PrefixCache(prefix_cache_size)

    def metadata_key(self, reading: dict[str, Any]) -> str | None:
        """The key of the record that the reading names; None when it names none.

        Raises:
            Rejected: when what stands there can be no key.
        """
        if self._key_path is None:
            return None
        value = look_up(reading, self._key_path)
        if value is None:
            return None
        place = shown(self._key_path)
        try:
            if isinstance(value, bool):
                raise ValueError("it is a boolean, not a text or number")  # noqa: TRY004, TRY301 - as others
            key = scalar_text(value)
        except ValueError as exc:
            raise _rejected(Reason.BAD_METADATA_KEY, place, exc) from exc
        if len(key) > MOST_METADATA_KEY_BYTES // 4 and len(key.encode()) > MOST_METADATA_KEY_BYTES:
            what = f"it is longer than {MOST_METADATA_KEY_BYTES} bytes"
            raise _rejected(Reason.BAD_METADATA_KEY, place, what)
        return key or None

    def encode(self, reading: dict[str, Any], record: Metadata | None, *, sent_at_ms: int) -> bytes:
        """The line of one reading, without a line end.

        `record` is None when there is none; `sent_at_ms` is when the message entered the queue.

        Raises:
            Rejected: naming the tag, field or time that cannot be used.
        """
        tags = tuple([self._tag(reading, *rule) for rule in self._tags])
        series = (record, tags)
        prefix = self._prefixes.get(series)
        if prefix is None:
            prefix = self._prefix(tags, record)
            self._prefixes.put(series, prefix)
        return f"{prefix} {self._field_set(reading)} {self._ns(reading, sent_at_ms)}".encode()

    def _tag(
        self,
        reading: dict[str, Any],
        name: str,
        parts: tuple[Any, ...],
        required: bool,  # noqa: FBT001 - unpacked
    ) -> str:
        """The value of one tag; empty when it is to be left out."""
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
                continue
            value = look_up(reading, part)
            try:
                piece = "" if value is None else scalar_text(value)
            except ValueError as exc:
                raise _rejected(Reason.BAD_TAG, shown(part), exc) from exc
            if not piece:
                if not required:
                    return ""
                what = f"it is missing or empty, and the tag {name} needs it"
                raise _rejected(Reason.MISSING_TAG, shown(part), what)
            text += piece
        return text

    def _prefix(self, values: tuple[str, ...], record: Metadata | None) -> str:
        """Measurement and tags, escaped, in the order of their names."""
        tags = {}
        if record is not None:
            # What cannot be stored is left out: the reading is worth more than one attribute.
            tags = {
                name: value
                for name, value in record.attributes.items()
                if name not in self._not_from_metadata
                and not unusable_name(name)
                and not unusable_tag_value(value)
            }
        for (name, _, _), value in zip(self._tags, values, strict=True):
            if problem := unusable_tag_value(value):
                raise _rejected(Reason.BAD_TAG, f"tag {name}", problem)
            if value:
                tags[name] = value
        pairs = [f",{escape_name(name)}={escape_name(tags[name])}" for name in sorted(tags)]
        prefix = self._measurement + "".join(pairs)
        if len(prefix.encode()) > MOST_KEY_BYTES:
            what = f"measurement and tags are longer than {MOST_KEY_BYTES} bytes"
            raise _rejected(Reason.BAD_TAG, "tags", what)
        return prefix

    def _field_set(self, reading: dict[str, Any]) -> str:
        fields = []
        for name, path, to_text in self._fields:
            value = look_up(reading, path)
            if value is None or value == "":
                continue
            try:
                fields.append(name + to_text(value))
            except ValueError as exc:
                raise _rejected(Reason.BAD_FIELD, shown(path), exc) from exc
        if not fields:
            places = ", ".join(shown(path) for _, path, _ in self._fields)
            raise _rejected(Reason.NO_FIELDS, places, "none of them is there")
        return ",".join(fields)

    def _ns(self, reading: dict[str, Any], sent_at_ms: int) -> int:
        rule = self._time
        sent_at_ns = sent_at_ms * 1_000_000
        for path in rule.paths:
            value = look_up(reading, path)
            if value is None or value == "":
                continue
            try:
                time = parse_time(value)
            except ValueError as exc:
                raise _rejected(Reason.BAD_TIME, shown(path), exc) from exc
            age_days = (sent_at_ns - time.ns) / _NS_PER_DAY
            if not -rule.future_days <= age_days <= rule.past_days:
                what = (
                    f"it lies {abs(age_days):.1f} days in the "
                    f"{'past' if age_days > 0 else 'future'}, beyond the window"
                )
                raise _rejected(Reason.TIME_OUT_OF_RANGE, shown(path), what)
            if rule.spread and time.whole_second:
                own = {name: reading[name] for name in reading if name not in rule.envelope}
                return spread(time.ns, _CONTENT.encode(own))
            return time.ns
        return sent_at_ns


def _rejected(reason: Reason, place: str, what: object) -> Rejected:
    return Rejected(Stage.MAP, reason, f"{place}: {what}")

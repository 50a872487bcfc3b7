"""The seed's reading as one would write it by hand: one shape, one function, no mapping.

What the compiled mapping is measured against: the same bytes for every message that has a line,
and a refusal for every other. What is usual is straight code; whatever else JSON can hold is left
to slower functions, some of them the mapping's own.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zlib import crc32

import msgspec

from ingestor.core.decode.plain import check_depth
from ingestor.core.mapping.names import unusable_name
from ingestor.core.message import Rejected
from ingestor.core.metadata import Metadata
from ingestor.core.prefix import escape_name, unusable_tag_value
from ingestor.core.scalars import float_text, scalar_text
from ingestor.core.timestamps import parse_time, spread

NS = 1_000_000_000
PAST_NS, FUTURE_NS = 3653 * 86_400 * NS, 86_400 * NS
MOST_DEPTH, MOST_TAGS = 32, 100
MOST_KEY_BYTES, MOST_SERIES_BYTES, MOST_TAG_BYTES, MOST_NAME_BYTES = 2048, 65_535, 4096, 256
EXACT = 10**15
"""Integers below it are themselves as floats."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as are the times that it is taken from
_OURS = frozenset({"sensorID", "pressureValue", "viscosity"})

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ByHand:
    """Makes lines of messages, and remembers the series that it has seen."""

    def __init__(self, *, most_series: int = 100_000) -> None:
        self._most_series = most_series
        self._series: dict[tuple[Metadata | None, str], str] = {}

    def line(
        self, text: str, records: Mapping[str, Metadata | None], *, sent_at_ms: int
    ) -> bytes | None:
        """The line of a message, None when it is refused; `records` has every key asked for."""
        try:
            return self._line(text, records, sent_at_ms)
        except (ValueError, RecursionError, msgspec.MsgspecError, Rejected):
            return None

    def _line(self, text: str, records: Mapping[str, Metadata | None], sent_at_ms: int) -> bytes:
        reading = _decode(text)
        if reading.__class__ is not dict:
            raise ValueError("not an object")
        if "{" in text[1:] or "[" in text:
            check_depth(reading, MOST_DEPTH)
        get = reading.get
        # What the rule adds is no part of what the device says.
        reading.pop("topic", None)
        received_at = reading.pop("received_at", None)
        key = get("metakey")
        if key.__class__ is not str or not 0 < len(key) <= MOST_KEY_BYTES // 8:
            key = _key(key)
        record = None if key is None else records[key]
        device, client = get("deviceid"), get("clientid")
        if device.__class__ is str and client.__class__ is str and device and client:
            sensor = device + client
        else:
            sensor = _text(device) + _text(client)
        series = self._series.get((record, sensor))
        if series is None:
            series = self._remember(record, sensor)
        fields = _fields(get("pressure"), get("viscosity"))
        ns = _time(reading, get("sensordatetime"), received_at, sent_at_ms * 1_000_000)
        return f"{series} {fields} {ns}".encode()

    def _remember(self, record: Metadata | None, sensor: str) -> str:
        series = _series(record, sensor)
        if len(self._series) >= self._most_series:
            self._series.clear()
        self._series[record, sensor] = series
        return series


def _fields(pressure: Any, viscosity: Any) -> str:
    kind = pressure.__class__
    if kind is int and -EXACT < pressure < EXACT:
        first = f"{pressure}.0"
    elif kind is float:
        first = repr(pressure)
    else:
        first = _number(pressure)
    kind = viscosity.__class__
    if kind is int and -EXACT < viscosity < EXACT:
        second = f"{viscosity}.0"
    elif kind is float:
        second = repr(viscosity)
    else:
        second = _number(viscosity)
    if first and second:
        return f"pressureValue={first},viscosity={second}"
    if not first and not second:
        raise ValueError("no field")
    return f"pressureValue={first}" if first else f"viscosity={second}"


def _time(reading: dict[str, Any], device_time: Any, received_at: Any, sent_at_ns: int) -> int:
    if device_time.__class__ is str and (second := _second(device_time)) is not None:
        ns = second * NS
        if not -FUTURE_NS <= sent_at_ns - ns <= PAST_NS:
            raise ValueError("outside of the window")
        return ns + (crc32(_encode(reading)) * NS >> 32)
    for value in (device_time, received_at):
        if value is not None and value != "":
            ns, is_whole_second = parse_time(value)
            if not -FUTURE_NS <= sent_at_ns - ns <= PAST_NS:
                raise ValueError("outside of the window")
            return spread(ns, _encode(reading)) if is_whole_second else ns
    return sent_at_ns


@lru_cache(10_000)
def _second(text: str) -> int | None:
    """The epoch second of `2026-11-24T12:00:00`, None of any other text; a fleet asks it often."""
    if text[10::3] != "T::":
        return None
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None
    return since.days * 86_400 + since.seconds


def _key(value: Any) -> str | None:
    """The metadata key of a reading where it is not a short text."""
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueError("no key")  # noqa: TRY004 - refusals are of one kind
    key = scalar_text(value)
    if len(key.encode()) > MOST_KEY_BYTES:
        raise ValueError("the key is too long")
    return key or None


def _text(value: Any) -> str:
    text = "" if value is None else scalar_text(value)
    if not text:
        raise ValueError("no identity")
    return text


def _number(value: Any) -> str:
    return "" if value is None or value == "" else float_text(value)


def _series(record: Metadata | None, sensor: str) -> str:
    if unusable_tag_value(sensor) or len(sensor.encode()) > MOST_TAG_BYTES:
        raise ValueError("no tag value")
    tags = {
        name: value
        for name, value in (record.attributes if record else {}).items()
        if name not in _OURS
        and not unusable_name(name)
        and not unusable_tag_value(value)
        and len(name.encode()) <= MOST_NAME_BYTES
        and len(value.encode()) <= MOST_TAG_BYTES
    }
    tags["sensorID"] = sensor
    if len(tags) > MOST_TAGS:
        raise ValueError("too many tags")
    pairs = [f",{escape_name(name)}={escape_name(tags[name])}" for name in sorted(tags)]
    series = "pressure" + "".join(pairs)
    if len(series.encode()) > MOST_SERIES_BYTES:
        raise ValueError("the series is too long")
    return series

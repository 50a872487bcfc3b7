"""When a reading was taken, from any usual form of writing it, as epoch nanoseconds."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zlib import crc32

NS_PER_SECOND = 1_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))? ?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_SCALES = ((10**11, NS_PER_SECOND), (10**14, 1_000_000), (10**17, 1_000))
"""Below which magnitude a number counts so many nanoseconds.

Seconds reach 10**11 in the year 5138, milliseconds passed it in 1973: within any window that makes
sense the units cannot be mistaken for one another.
"""


@dataclass(slots=True, frozen=True)
class Timestamp:
    """Epoch nanoseconds; `whole_second` when the way of writing has room for nothing finer."""

    ns: int
    whole_second: bool


def parse_time(value: object) -> Timestamp:
    """Read a time: ISO 8601 (UTC when it names no zone), or an epoch number in s, ms, us or ns.

    A number may come as text. Digits beyond the ninth of a second are cut off. The resolution is
    that of the form: `12:00:00` and epoch seconds are whole seconds, `12:00:00.000` is not.

    Raises:
        ValueError: saying what is wrong, without the value.
    """
    if isinstance(value, str):
        text = value.strip()
        if match := _ISO.fullmatch(text):
            return _from_iso(match)
        if not _NUMBER.fullmatch(text):
            raise ValueError("it is neither ISO 8601 nor an epoch number")
        return _from_number(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it is neither a text nor a number")  # noqa: TRY004 - one kind of error
    # The text of a float is what was written in the message; its binary value is not.
    return _from_number(str(value))


def spread(second_ns: int, content: bytes) -> int:
    """A moment within the second, chosen by what the reading says.

    The same content gives the same nanosecond, so that a redelivery overwrites itself, while two
    readings of one second do not overwrite each other.
    """
    return second_ns + (crc32(content) * NS_PER_SECOND >> 32)


def _from_iso(match: re.Match[str]) -> Timestamp:
    date, clock, fraction, _zulu, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}+00:00") - _EPOCH
    except ValueError as exc:
        raise ValueError("there is no such date or time of day") from exc
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        moment -= offset if sign == "+" else -offset
    ns = (moment.days * 86_400 + moment.seconds) * NS_PER_SECOND
    if fraction is None:
        return Timestamp(ns, whole_second=True)
    return Timestamp(ns + int(fraction[:9].ljust(9, "0")), whole_second=False)


def _from_number(text: str) -> Timestamp:
    number = Decimal(text)
    scale = next((ns for below, ns in _SCALES if abs(number) < below), 1)
    whole_second = scale == NS_PER_SECOND and "." not in text
    return Timestamp(int(number * scale), whole_second)

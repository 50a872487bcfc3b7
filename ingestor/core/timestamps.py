"""When a reading was taken, from any usual form of writing it, as epoch nanoseconds."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zlib import crc32

NS_PER_SECOND = 1_000_000_000
_NS_PER_MS = 1_000_000

Time = tuple[int, bool]
"""Epoch nanoseconds, and whether the way of writing has room for nothing finer than a second."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - subtracted from times that are UTC and say no zone
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)-(?P<day>\d\d)|-?(?P<ordinal>\d{3})"
    r"|(?P<month2>\d\d)(?P<day2>\d\d)|-?W(?P<week>\d\d)-?(?P<weekday>\d))"
    r"(?:[Tt ](?P<hour>\d\d)"
    r"(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r" ?(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_DATE, _MOST = 8, 20
"""Digits of a date without hyphens, and the most that a number may have."""
_NOT_A_TIME = "it is neither ISO 8601 nor an epoch number"
_UNITS = {"s": NS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
_SCALES = ((10**11, NS_PER_SECOND), (10**14, 1_000_000), (10**17, 1_000))
"""Below which magnitude a number counts so many nanoseconds.

Seconds reach 10**11 in the year 5138, milliseconds passed it in 1973: within any window that makes
sense the units cannot be mistaken for one another.
"""


def parse_time(value: object, unit: str = "auto", zone: tzinfo = UTC) -> Time:
    """Read a time: ISO 8601 (in `zone` when it names none), or an epoch number in `unit`.

    A number may come as text; "auto" tells its unit by its size. Digits beyond the ninth of a
    second are cut off. The resolution is that of the form: `12:00:00` and epoch seconds are whole
    seconds, `12:00:00.000` is not.

    Raises:
        ValueError: saying what is wrong, without the value.
    """
    if isinstance(value, str):
        text = value.strip()
        # A number is never taken for a date without hyphens, nor the other way round: those
        # dates have eight digits, and no epoch number of our time has.
        if text.isdecimal() and text.isascii() and len(text) != _DATE and len(text) <= _MOST:
            return _from_integer(int(text), unit)
        if match := _ISO.fullmatch(text):
            return _from_iso(match, zone)
        if not _NUMBER.fullmatch(text):
            raise ValueError(_NOT_A_TIME)
        return _from_number(text, unit)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it is neither a text nor a number")  # noqa: TRY004 - one kind of error
    if isinstance(value, int):
        return _from_integer(value, unit)
    # The text of a float is what was written in the message; its binary value is not.
    return _from_number(str(value), unit)


def time_parser(unit: str, zone: tzinfo) -> Callable[[object], Time]:
    """`parse_time` for one unit and zone, with a short way for `2026-11-24T12:00:00[.123][Z]`."""
    if zone is not UTC:
        return lambda value: parse_time(value, unit, zone)

    def parse(value: object) -> Time:
        if value.__class__ is not str:
            return parse_time(value, unit)
        text = str(value)
        tail = text[19:]
        if text[10:11] != "T" or text[13] != ":" or text[16:17] != ":":
            return parse_time(text, unit)
        try:
            since = datetime.fromisoformat(text[:19]) - _EPOCH
        except ValueError:
            return parse_time(text, unit)  # says what is wrong, or knows better
        ns = (since.days * 86_400 + since.seconds) * NS_PER_SECOND
        if not tail or tail == "Z":
            return ns, True
        digits = tail[1:-1] if tail[-1] == "Z" else tail[1:]
        if tail[0] == "." and digits.isdecimal() and digits.isascii():
            return ns + int(digits[:9].ljust(9, "0")), False
        return parse_time(text, unit)

    return parse


class WholeSeconds:
    """Epoch nanoseconds of `2026-11-24T12:00:00`, UTC, and when a message may have told them.

    With each go the first and the last epoch millisecond at which a message may have been sent for
    whose reading this lies within the window. What was asked for is remembered in `known`, because
    the devices of a fleet tell the same seconds: who is in a hurry may look there first. With
    `most` texts it begins anew.
    """

    def __init__(self, *, past_ns: int, future_ns: int, most: int = 10_000) -> None:
        self.known: dict[str, tuple[int, int, int]] = {}
        self._past_ns = past_ns
        self._future_ns = future_ns
        self._most = most

    def learn(self, text: str) -> tuple[int, int, int] | None:
        """The moment of a text with its window; None when it has another form."""
        # Characters 10, 13 and 16, and no more than 19: a date and a time of day, and no zone.
        if text[10::3] != "T::":
            return None
        try:
            since = datetime.fromisoformat(text) - _EPOCH
        except ValueError:
            return None
        if len(self.known) == self._most:
            self.known.clear()
        ns = (since.days * 86_400 + since.seconds) * NS_PER_SECOND
        first_ms = -((self._future_ns - ns) // _NS_PER_MS)  # rounded up
        last_ms = (ns + self._past_ns) // _NS_PER_MS
        seen = self.known[text] = (ns, first_ms, last_ms)
        return seen


def spread(second_ns: int, content: bytes) -> int:
    """A moment within the second, chosen by what the reading says.

    The same content gives the same nanosecond, so that a redelivery overwrites itself, while two
    readings of one second do not overwrite each other.
    """
    return second_ns + (crc32(content) * NS_PER_SECOND >> 32)


def _from_iso(match: re.Match[str], zone: tzinfo) -> Time:
    part = match.groupdict()
    # A leap second, and midnight at the end of a day, are the moment after.
    leap = part["second"] == "60"
    late = part["hour"] == "24" and not int(part["minute"] or 0) and not int(part["second"] or 0)
    try:
        moment = _day(part) + timedelta(days=late)
        moment = moment.replace(
            hour=0 if late else int(part["hour"] or 0),
            minute=int(part["minute"] or 0),
            second=59 if leap else int(part["second"] or 0),
        )
        if not part["zone"]:
            moment -= zone.utcoffset(moment.replace(tzinfo=zone)) or timedelta()
    except (ValueError, OverflowError) as exc:
        raise ValueError("there is no such date or time of day") from exc
    since = moment - _EPOCH
    if part["sign"]:
        offset = timedelta(hours=int(part["hours"]), minutes=int(part["minutes"] or 0))
        since -= offset if part["sign"] == "+" else -offset
    ns = (since.days * 86_400 + since.seconds + leap) * NS_PER_SECOND
    if part["fraction"] is None:
        return ns, True
    return ns + int(part["fraction"][:9].ljust(9, "0")), False


def _day(part: dict[str, str]) -> datetime:
    if part["ordinal"]:
        year = int(part["year"])
        day = datetime(year, 1, 1) + timedelta(days=int(part["ordinal"]) - 1)  # noqa: DTZ001 - the same
        if day.year != year:
            raise ValueError("there is no such day of the year")
    elif part["week"]:
        day = datetime.fromisocalendar(int(part["year"]), int(part["week"]), int(part["weekday"]))
    else:
        month, day_of_month = part["month"] or part["month2"], part["day"] or part["day2"]
        day = datetime(int(part["year"]), int(month), int(day_of_month))  # noqa: DTZ001 - see _EPOCH
    return day


def _from_integer(number: int, unit: str) -> Time:
    scale = _UNITS.get(unit)
    if scale is None:
        size = abs(number)
        scale = next((ns for below, ns in _SCALES if size < below), 1)
    return number * scale, scale == NS_PER_SECOND


def _from_number(text: str, unit: str) -> Time:
    number = Decimal(text)
    scale = _UNITS.get(unit)
    if scale is None:
        scale = next((ns for below, ns in _SCALES if abs(number) < below), 1)
    return int(number * scale), scale == NS_PER_SECOND and "." not in text

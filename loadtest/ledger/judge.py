"""What became of one reading: the rules, without any file or server."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

_NS_PER_MS, _NS_PER_SECOND = 1_000_000, 1_000_000_000
_MS_PER_SECOND = 1_000
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Fate(StrEnum):
    """What can become of a reading; the values are for people."""

    STORED = "stored"
    REJECTED = "dead-lettered as expected"
    UNKNOWN = "neither acknowledged nor stored"
    MISSING = "missing"
    ALTERED = "altered"
    LATE = "stored at a later time"
    EARLY = "stored at an earlier time"
    DOUBLED = "stored twice"
    BARE = "not enriched"
    DEAD = "dead-lettered"
    OTHER_REASON = "dead-lettered for another reason"
    POISON_STORED = "stored although it is poison"
    STORED_AND_DEAD = "stored and dead-lettered"
    STRANGER = "never sent"


GOOD = frozenset({Fate.STORED, Fate.REJECTED, Fate.UNKNOWN})
"""Fates that a reading may have when all is well."""


class Sent(NamedTuple):
    """A reading of the ledger. `expected` is how the reason of its dead letter must begin."""

    time_ms: int
    content: bytes
    expected: str
    acknowledged: bool


class Point(NamedTuple):
    """A point that is stored; `wrong` says what is wrong with its tags."""

    time_ns: int
    content: bytes
    wrong: str


def pack(values: Sequence[Any], firmware: str) -> bytes:
    """The content of a reading, so that what was sent and what is stored can be compared."""
    # A query returns 900 for 900.0 and 0 for -0.0: the sum makes one of both zeros.
    return _pack(([float(v) + 0.0 if isinstance(v, int | float) else v for v in values], firmware))


def judge(
    sent: Sent, points: Sequence[Point], reasons: Sequence[str], *, whole_seconds: bool
) -> tuple[Fate, str]:
    """What became of a reading, and what is to be said about it.

    `reasons` are those of all its dead letters, `whole_seconds` says that it was sent with such.
    """
    if sent.expected:
        return _judge_poison(sent, points, reasons)
    if not points:
        return _judge_absent(sent, reasons)
    differences = [_difference(sent, point, whole_seconds=whole_seconds) for point in points]
    fate = Fate.STORED, ""
    if None not in differences:
        fate = differences[0] or fate
    elif len(points) > 1:
        fate = Fate.DOUBLED, f"{len(points)} points"
    elif wrong := points[0].wrong:
        fate = Fate.BARE, wrong
    elif reasons:
        fate = Fate.STORED_AND_DEAD, reasons[0]
    return fate


def _judge_absent(sent: Sent, reasons: Sequence[str]) -> tuple[Fate, str]:
    if reasons:
        return Fate.DEAD, reasons[0]
    return (Fate.MISSING, "it was acknowledged") if sent.acknowledged else (Fate.UNKNOWN, "")


def _judge_poison(sent: Sent, points: Sequence[Point], reasons: Sequence[str]) -> tuple[Fate, str]:
    if points:
        return Fate.POISON_STORED, f"{sent.expected} was expected"
    for reason in reasons:
        if not reason.startswith(sent.expected):
            return Fate.OTHER_REASON, f"{sent.expected} was expected, not {reason}"
    if reasons:
        return Fate.REJECTED, ""
    return (Fate.MISSING, "it is poison") if sent.acknowledged else (Fate.UNKNOWN, "")


def _difference(sent: Sent, point: Point, *, whole_seconds: bool) -> tuple[Fate, str] | None:
    if point.content != sent.content:
        return (
            Fate.ALTERED,
            f"it is {_unpack(point.content)}, not {_unpack(sent.content)}",
        )
    begin = sent.time_ms * _NS_PER_MS
    length = 1
    if whole_seconds:  # the service spreads these over their second
        begin = sent.time_ms // _MS_PER_SECOND * _NS_PER_SECOND
        length = _NS_PER_SECOND
    late = point.time_ns - begin
    if 0 <= late < length:
        return None
    by = f"by {abs(late) / _NS_PER_SECOND:.3f} s"
    return (Fate.LATE, by) if late > 0 else (Fate.EARLY, by)

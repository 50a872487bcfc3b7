"""Decoded values as JSON would have given them, within limits."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any

from ingestor.core.message import Reason, Rejected, Stage

_LEAST, _MOST = -(2**63), 2**64 - 1


class _Walk:
    """One conversion: how deep and how much may still come."""

    def __init__(self, most_values: int) -> None:
        self._left = most_values

    def plain(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("it refers to its own parts again and again")
        if isinstance(value, str | bool | None):
            return value
        # By the very type: a simple value of CBOR is a tuple too.
        if isinstance(value, Mapping) or type(value) in {list, tuple, set, frozenset}:
            if not depth:
                raise RecursionError
            if isinstance(value, Mapping):
                return {_name(k): self.plain(v, depth - 1) for k, v in value.items()}
            return [self.plain(each, depth - 1) for each in value]
        return _scalar(value)


def plain(value: Any, *, depth: int, most_values: int) -> Any:
    """A value of CBOR or MessagePack as JSON would have given it.

    Names become texts, byte strings hexadecimal texts, times ISO 8601; NaN, infinities and
    everything that JSON has nothing like become null. `most_values` stops what small data blows
    itself up to by references to its own parts.

    Raises:
        Rejected: when it is nested deeper than `depth`.
        ValueError: when there are more values than that, or a name is no name.
    """
    try:
        return _Walk(most_values).plain(value, depth)
    except RecursionError as exc:
        raise too_deep(depth) from exc


def check_depth(value: Any, depth: int) -> None:
    """Raise Rejected when arrays and objects are nested deeper than that."""
    if not isinstance(value, dict | list):
        return
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise too_deep(depth)


def too_deep(depth: int) -> Rejected:
    """The rejection of what is nested deeper than that."""
    detail = f"arrays or objects are nested deeper than {depth} levels"
    return Rejected(Stage.DECODE, Reason.TOO_DEEP, detail)


def _name(name: Any) -> str:
    if isinstance(name, bytes):
        return name.hex()
    if isinstance(name, int) and abs(name) <= _MOST:
        return str(name)
    if not isinstance(name, str):
        raise ValueError("a name in it is neither text nor number")  # noqa: TRY004 - as its others
    return name


def _scalar(value: Any) -> Any:
    if isinstance(value, int) and _LEAST <= value <= _MOST:
        return value
    if isinstance(value, int | float | Decimal | Fraction):
        try:
            number = float(value)
        except (OverflowError, ValueError):  # the latter: a signalling NaN
            return None
        return number if isfinite(number) else None
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return None

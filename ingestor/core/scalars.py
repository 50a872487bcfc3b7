"""Values of a reading as text of the line protocol.

Every function raises ValueError saying what is wrong in a half sentence, without the value.
"""

import re
from math import isfinite

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_LEAST, _MOST = -(2**63), 2**63 - 1
_BOOLEANS = {"true": True, "false": False}


def float_text(value: object) -> str:
    """A number, or a text that is one, as a float field."""
    return repr(_to_float(value))


def scaled_float_text(value: object, scale: float, offset: float) -> str:
    """A number in another unit as a float field.

    Rounded to 15 digits, which every float holds: 3 times 0.1 is 0.3, as on paper.
    """
    return repr(float(f"{_scaled(value, scale, offset):.15g}"))


def scaled_integer_text(value: object, scale: float, offset: float) -> str:
    """A number in another unit, to the nearest whole number, as an integer field."""
    return integer_text(round(_scaled(value, scale, offset)))


def integer_text(value: object) -> str:
    """A whole number of 64 bits, or a text that is one, as an integer field."""
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value.strip()):
            raise ValueError("it is a text that is not a whole number")
        number = int(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_a("whole number", value)
    elif isinstance(value, float) and not value.is_integer():
        raise ValueError("it has a fraction, and the field is an integer")
    else:
        number = int(value)
    if not _LEAST <= number <= _MOST:
        raise ValueError("it does not fit into 64 bits")
    return f"{number}i"


def boolean_text(value: object) -> str:
    """True or false, or their names as text, as a boolean field."""
    if isinstance(value, str):
        value = _BOOLEANS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise _not_a("boolean", value)
    return "true" if value else "false"


def string_text(value: object) -> str:
    """A scalar as a string field. It may hold several lines, but no U+0000."""
    text = scalar_text(value)
    if "\0" in text:
        raise ValueError("it holds the control character U+0000")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def scalar_text(value: object) -> str:
    """A text, number or boolean as plain text, the same for 10 and 10.0.

    IoT SQL turns 10.0 into 10, so a tag must not depend on the difference.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    raise _not_a("text, number or boolean", value)


def _scaled(value: object, scale: float, offset: float) -> float:
    number = _to_float(value) * scale + offset
    if not isfinite(number):
        raise ValueError("it is too large for a float when it is scaled")
    return number


def _to_float(value: object) -> float:
    if isinstance(value, str):
        return _parse_float(value)
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise _not_a("number", value)
    try:
        number = float(value)
    except OverflowError as exc:
        raise ValueError("it is too large for a float") from exc
    return number


def _parse_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = None
    # Python also reads 1_000, which is no number anywhere else.
    if number is None or "_" in text:
        raise ValueError("it is a text that is not a number")
    if not isfinite(number):
        raise ValueError("it is not a finite number")
    return number


def _not_a(wanted: str, value: object) -> ValueError:
    kinds: dict[type, str] = {dict: "an object", list: "an array", bool: "a boolean", str: "a text"}
    kind = kinds.get(type(value), "a number")
    return ValueError(f"it is {kind}, not a {wanted}")

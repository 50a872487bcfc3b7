"""The fields of a mapping, compiled."""

from collections.abc import Callable
from typing import Any

from ingestor.core.encode.texts import rejected, text_of
from ingestor.core.mapping.sources import FieldRule
from ingestor.core.message import Reason
from ingestor.core.opened import Opened
from ingestor.core.paths import Getter, getter
from ingestor.core.prefix import escape_name
from ingestor.core.scalars import (
    boolean_text,
    float_text,
    integer_text,
    scaled_float_text,
    scaled_integer_text,
    string_text,
)

FieldText = Callable[[Any, Opened], str]
"""`name=value` for a reading; empty when there is no value."""

EXACT = 10**15
"""Below it an integer with `.0` behind it is what `repr` writes for it as a float."""


def to_field(kind: str, *, most_text_bytes: int) -> Callable[[object], str]:
    """How values become texts of a field of this type; raises ValueError for what cannot."""

    def text(value: object) -> str:
        written = string_text(value)
        if len(written) > most_text_bytes // 4 and len(written.encode()) > most_text_bytes:
            raise ValueError(f"its text is longer than {most_text_bytes} bytes")
        return written

    return {
        "float": float_text,
        "integer": integer_text,
        "boolean": boolean_text,
        "string": text,
    }[kind]


def field_text(name: str, rule: FieldRule, *, most_text_bytes: int) -> FieldText:
    """One field: its name, escaped, and its value."""
    equals = f"{escape_name(name)}="
    to_text = _to_text(rule, most_text_bytes)
    if rule.path is None and rule.template is None:
        constant = equals + to_text(rule.constant)
        return lambda _reading, _opened: constant
    get = _getter(rule)
    absent = "" if rule.default is None else equals + to_text(rule.default)

    def field(reading: Any, opened: Opened) -> str:
        value = get(reading, opened)
        if value is None or value == "":
            if rule.required:
                what = f"it is missing or empty, and the field {name} needs it"
                raise rejected(Reason.MISSING_FIELD, rule.places, what)
            return absent
        try:
            return equals + to_text(value)
        except ValueError as exc:
            raise rejected(Reason.BAD_FIELD, rule.places, exc) from exc

    return field


def _getter(rule: FieldRule) -> Getter:
    return getter(rule.path) if rule.path is not None else text_of(rule, Reason.BAD_FIELD)


def _to_text(rule: FieldRule, most_text_bytes: int) -> Callable[[object], str]:
    if not rule.is_scaled:
        return to_field(rule.type, most_text_bytes=most_text_bytes)
    scaled = scaled_float_text if rule.type == "float" else scaled_integer_text
    return lambda value: scaled(value, rule.scale, rule.offset)

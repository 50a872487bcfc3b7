"""Descriptions of devices in TOML: parsed, checked, and every mistake named."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from loadtest.devices.draws import parse_parameter
from loadtest.devices.signals import SHAPES, Choice, Signal

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset(
    {
        *("device", "sensorID", "sequence", "time", "metakey", "firmware"),
        *("manufacturer", "family", "component_id", "calibration_date", "site", "accuracy"),
        *("deviceid", "clientid", "sensordatetime", "topic", "received_at"),
    }
)
_MOST_DIGITS = 9


class Format(StrEnum):
    """How a device writes its messages."""

    SIMULATOR = "simulator"
    JSON = "json"
    SENML = "senml"
    CBOR = "cbor"


@dataclass(slots=True, frozen=True)
class Field:
    """A value of a reading: its name in messages and in InfluxDB, and its type there."""

    name: str
    stored: str
    kind: str


@dataclass(slots=True, frozen=True)
class Kind:
    """A kind of device. `fields` are the values of all `signals` in their order."""

    name: str
    measurement: str
    format: Format
    share: float
    signals: tuple[Signal, ...]
    fields: tuple[Field, ...]

    @property
    def whole_seconds(self) -> bool:
        """Whether the times that it sends are cut to the second."""
        return self.format is Format.SIMULATOR

    @property
    def columns(self) -> tuple[str, ...]:
        """What its values are stored as, in their order."""
        return tuple(field.stored for field in self.fields)

    @property
    def is_json(self) -> bool:
        """Whether its messages are JSON objects, which a rule can take apart."""
        return self.format in {Format.SIMULATOR, Format.JSON}

    @property
    def topic(self) -> str:
        """Where its devices publish, `+` in place of the device."""
        return "pressure/data" if self.format is Format.SIMULATOR else f"fleet/{self.name}/+"


def parse_kinds(text: str) -> tuple[Kind, ...]:
    """The kinds that a document describes, one `[[devices]]` table each.

    Raises ValueError that names what is wrong where.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ValueError(f"this is no TOML: {exc}") from exc
    tables = document.pop("devices", None)
    if document or not isinstance(tables, list) or not tables:
        raise ValueError("a description holds [[devices]] tables, at least one, and nothing else")
    kinds = tuple(_kind(table) for table in tables)
    for what in ("name", "measurement"):
        names = [getattr(kind, what) for kind in kinds]
        if len(set(names)) < len(names):
            raise ValueError(f"two kinds of devices have the same {what}: {', '.join(names)}")
    if sum(kind.format is Format.SIMULATOR for kind in kinds) > 1:
        raise ValueError("only one kind can have the format simulator: it has one topic for all")
    return kinds


def _kind(table: Any) -> Kind:
    if not isinstance(table, dict):
        raise TypeError("[[devices]] must be tables")
    table = dict(table)
    name = _name(table.pop("name", None), "devices.name")
    measurement = _name(table.pop("measurement", name), f"{name}.measurement")
    try:
        form = Format(table.pop("format", "json"))
    except ValueError as exc:
        raise ValueError(f"{name}.format is one of {', '.join(Format)}: {exc}") from exc
    share = table.pop("share", 1)
    if not isinstance(share, int | float) or isinstance(share, bool) or share <= 0:
        raise ValueError(f"{name}.share must be a number above 0, not {share!r}")
    given = table.pop("signals", None)
    if table:
        raise ValueError(f"{name}: unknown: {', '.join(sorted(table))}")
    if not isinstance(given, dict) or not given:
        raise ValueError(f"{name} needs signals: [devices.signals.<name>] tables")
    signals: list[Signal] = []
    fields: list[Field] = []
    for label, each in given.items():
        where = f"{name}.signals.{_name(label, f'{name}.signals')}"
        if not isinstance(each, dict):
            raise TypeError(f"{where} must be a table")
        options = dict(each)
        stored = _name(options.pop("stored", label), f"{where}.stored", small=False)
        signal = _signal(options, where)
        signals.append(signal)
        kind = "string" if isinstance(signal, Choice) else "float"
        for end in signal.fields:
            inner, outer = (f".{end}", f"_{end}") if end else ("", "")
            fields.append(Field(label + inner, stored + outer, kind))
    return Kind(name, measurement, form, share, tuple(signals), tuple(fields))


def _signal(options: dict[str, Any], where: str) -> Signal:
    label = options.pop("kind", None)
    if label == "choice":
        return _choice(options, where)
    shape = SHAPES.get(label) if isinstance(label, str) else None
    if shape is None:
        raise ValueError(f"{where}.kind is one of choice, {', '.join(SHAPES)}, not {label!r}")
    digits = options.pop("digits", shape.digits)
    if not isinstance(digits, int) or not 0 <= digits <= _MOST_DIGITS:
        raise ValueError(f"{where}.digits is a whole number from 0 to {_MOST_DIGITS}")
    parameters = {}
    for name, default in shape.parameters.items():
        value = options.pop(name, default)
        if value is None:
            raise ValueError(f"{where} needs {name}")
        parameters[name] = parse_parameter(value, f"{where}.{name}")
    _nothing_left(options, where)
    signal: Signal = shape.make(parameters, digits, shape.fields)
    return signal


def _choice(options: dict[str, Any], where: str) -> Choice:
    values = options.pop("values", None)
    change = options.pop("change", 0.05)
    _nothing_left(options, where)
    if not isinstance(values, list) or not values or not all(map(_is_text, values)):
        raise ValueError(f"{where}.values must be a list of texts that are not empty")
    if not isinstance(change, int | float) or not 0 <= change <= 1:
        raise ValueError(f"{where}.change must be a number from 0 to 1")
    return Choice(tuple(values), change)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isprintable()


def _nothing_left(options: Mapping[str, Any], where: str) -> None:
    if options:
        raise ValueError(f"{where}: unknown: {', '.join(sorted(options))}")


def _name(given: object, where: str, *, small: bool = True) -> str:
    if not isinstance(given, str) or not _NAME.fullmatch(given if small else given.lower()):
        raise ValueError(f"{where} must be letters, digits and _, a letter first, not {given!r}")
    if given in _RESERVED:
        raise ValueError(f"{where}: {given} has a meaning of its own")
    return given

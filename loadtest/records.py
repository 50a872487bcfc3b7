"""What the demo's table knows about its devices, and the tags that must come of it.

Makers and products are invented. The expected tags are written out by hand rather than computed,
so that a mistake of the service's own rule cannot hide itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY_ATTRIBUTE = "metakey"

_Attribute = tuple[dict[str, Any], str | None]
"""An attribute in DynamoDB's typed form, and the tag value that it becomes, if any."""


@dataclass(slots=True, frozen=True)
class Record:
    """One metadata record: `item` as DynamoDB stores it, `tags` as InfluxDB must show it."""

    key: str
    item: Mapping[str, dict[str, Any]]
    tags: Mapping[str, str]


def _text(value: str) -> _Attribute:
    return {"S": value}, value or None


def _number(value: str) -> _Attribute:
    return {"N": value}, value


def _flag(*, value: bool) -> _Attribute:
    return {"BOOL": value}, "true" if value else "false"


def _set(kind: str, members: list[str], tag: str) -> _Attribute:
    return {kind: members}, tag


def _no_tag(typed: dict[str, Any]) -> _Attribute:
    return typed, None


def _record(key: str, **attributes: _Attribute) -> Record:
    attributes = {KEY_ATTRIBUTE: _text(key), **attributes}
    return Record(
        key,
        {name: typed for name, (typed, _) in attributes.items()},
        {name: tag for name, (_, tag) in attributes.items() if tag is not None},
    )


RECORDS: tuple[Record, ...] = (
    _record(
        "123456789",
        manufacturer=_text("Acme Devices Ltd."),
        family=_text("sensors"),
        component_id=_text("a1b2c3d4"),
        calibration_date=_text("2020-09-25"),
    ),
    _record(
        "123456790",
        manufacturer=_text("Acme Devices Ltd."),
        family=_text("transmitters"),
        component_id=_text("a1b2c3d5"),
        calibration_date=_text("2026-03-02"),
        max_pressure=_number("1600"),
        certified=_flag(value=True),
    ),
    _record(
        "200100001",
        manufacturer=_text("Brenner & Söhne, Messtechnik"),
        family=_text("Typ=K 4/20"),
        component_id=_text("bs-4-20-0001"),
        accuracy=_number("0.25"),
        certified=_flag(value=False),
        fluids=_set("SS", ["water", "glycol", "light oil"], "glycol,light oil,water"),
    ),
    _record(
        "200100002",
        manufacturer=_text("Brenner & Söhne, Messtechnik"),
        family=_text("Typ=K 4/40"),
        component_id=_text("bs-4-40-0007"),
        accuracy=_number("0.1"),
        certified=_flag(value=True),
        ports=_set("NS", ["10", "9", "2.5"], "2.5,9,10"),
    ),
    _record(
        "300500017",
        manufacturer=_text("Northwind Fluidics"),
        family=_text("river"),
        component_id=_text("NF\\17"),
        offset=_number("-12"),
        note=_text(""),
        drawing=_no_tag({"NULL": True}),
    ),
    _record(
        "300500018",
        manufacturer=_text("Northwind Fluidics"),
        family=_text("tide"),
        component_id=_text("NF\\18"),
        max_pressure=_number("950"),
        history=_no_tag({"L": [{"S": "2024-01-09"}, {"S": "2025-01-12"}]}),
        address=_no_tag({"M": {"hall": {"N": "4"}, "row": {"S": "B"}}}),
    ),
    _record(
        "418000001",
        manufacturer=_text("Kaisei 計測"),
        family=_text('"mini" series'),
        component_id=_text("km-1"),
        certified=_flag(value=True),
        sites=_set("SS", ["Oslo"], "Oslo"),
    ),
)

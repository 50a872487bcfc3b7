"""Metadata records from a file, as the table would give them."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ingestor.core.metadata import Metadata, join_key
from ingestor.core.tagvalues import tag_values

_TYPES = frozenset({"S", "N", "BOOL", "SS", "NS", "NULL", "B", "BS", "L", "M"})


class NoRecords(Exception):
    """The file holds no metadata records; says why."""


def read_records(text: bytes) -> dict[str, Metadata]:
    """Records by their keys.

    JSON, `{"<key>": {"<attribute>": <value>}}`, or with a sort key
    `{"<partition>": {"<sort>": {"<attribute>": <value>}}}`. A value is plain JSON or in DynamoDB's
    typed form, `{"S": "text"}`.

    Raises:
        NoRecords: when it is something else.
    """
    try:
        document = msgspec.json.decode(text, type=dict[str, dict[str, Any]])
        return dict(_records(document))
    except ValueError as exc:  # those of msgspec and of Unicode are some
        raise NoRecords(f"it is not an object of records: {exc}") from exc


def _records(document: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, Metadata]]:
    for key, content in document.items():
        if content and all(isinstance(v, dict) and not _is_typed(v) for v in content.values()):
            for sort, attributes in content.items():
                yield join_key(key, sort), read_record(attributes)
        else:
            yield key, read_record(content)


def read_record(attributes: Mapping[str, Any]) -> Metadata:
    """One record; values as `read_records` takes them."""
    return Metadata(tag_values({name: _typed(value) for name, value in attributes.items()}))


def _is_typed(value: dict[str, Any]) -> bool:
    return len(value) == 1 and not _TYPES.isdisjoint(value)


def _typed(value: Any) -> dict[str, Any]:
    """A plain value in DynamoDB's form."""
    if isinstance(value, dict):
        return value if _is_typed(value) else {"M": value}
    if isinstance(value, list) and value:
        if all(isinstance(each, str) for each in value):
            return {"SS": value}
        if all(type(each) in {int, float} for each in value):
            return {"NS": [_number(each) for each in value]}
    kinds = {bool: ("BOOL", value), str: ("S", value)}
    if type(value) in {int, float}:
        return {"N": _number(value)}
    return dict([kinds.get(type(value), ("NULL", True))])


def _number(value: float) -> str:
    """A number as DynamoDB keeps it, without trailing zeros."""
    return str(value) if isinstance(value, int) else f"{value:.15g}"

"""The metadata key of a reading, compiled from the mapping."""

from collections.abc import Callable
from typing import Any

from ingestor.core.encode.texts import rejected
from ingestor.core.mapping.model import MetadataRule
from ingestor.core.mapping.sources import Source
from ingestor.core.message import Reason
from ingestor.core.metadata import join_key
from ingestor.core.opened import Opened
from ingestor.core.paths import Getter, Path, getter, single_name
from ingestor.core.scalars import scalar_text

Key = Callable[[Any, Opened], str | None]

MOST_PARTITION_KEY_BYTES = 2_048
MOST_SORT_KEY_BYTES = 1_024
"""Longest keys (DynamoDB Developer Guide, limits)."""
SURELY_SHORT = 256
"""Characters that are within the limit whatever they are."""


def key_of(rule: MetadataRule | None) -> Key:
    """Finds the key of the record that a reading names; None when it names none.

    The function raises Rejected when what stands there can be no key.
    """
    if rule is None:
        return lambda _reading, _opened: None
    partition = _part(rule.key, MOST_PARTITION_KEY_BYTES)
    if rule.sort is None:
        return partition
    sort = _part(rule.sort, MOST_SORT_KEY_BYTES)
    places = f"{rule.key.places}, {rule.sort.places}"

    def key(reading: Any, opened: Opened) -> str | None:
        first = partition(reading, opened)
        second = sort(reading, opened)
        if first is None or second is None:
            return None
        try:
            return join_key(first, second)
        except ValueError as exc:
            raise rejected(Reason.BAD_METADATA_KEY, places, exc) from exc

    return key


def _part(source: Source, most_bytes: int) -> Key:
    pieces: list[tuple[str, Getter | None]] = [
        (str(part), getter(part) if isinstance(part, Path) else None) for part in source.parts
    ]

    def part(reading: Any, opened: Opened) -> str | None:
        joined = ""
        for place, get in pieces:
            value = place if get is None else get(reading, opened)
            if value is None:
                return None
            if value.__class__ is not str:
                try:
                    value = _text(value)
                except ValueError as exc:
                    raise rejected(Reason.BAD_METADATA_KEY, place, exc) from exc
            if not value:
                return None
            joined += value
        if len(joined) > most_bytes // 4 and len(joined.encode()) > most_bytes:
            what = f"it is longer than {most_bytes} bytes"
            raise rejected(Reason.BAD_METADATA_KEY, source.places, what)
        return joined

    return part


def member_of(rule: MetadataRule | None) -> str | None:
    """The one member of a reading whose text is the whole key, if it is as simple as that.

    Such a text of at most `SURELY_SHORT` characters, and not empty, is what `key_of` would give.
    """
    return single_name(rule.key.path) if rule is not None and rule.sort is None else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError("it is a boolean, not a text or number")  # noqa: TRY004 - as the others
    return scalar_text(value)

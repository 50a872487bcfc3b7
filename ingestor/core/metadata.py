"""What is known about a device, as tag values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Metadata:
    """The scalar attributes of one metadata record, already turned into tag text.

    Compared by identity. `series` is the encoder's: what it made of the record first, kept as long
    as the cache hands out the same object. See `SeriesEncoder`.
    """

    attributes: dict[str, str] = field(default_factory=dict)
    series: tuple[Any, ...] | None = None


class Known(dict[Any, Metadata | None]):
    """Records at hand, by key: those that may be used at this moment without asking anybody.

    What is not in the dictionary is looked for with `look`, which may put it there; None is no
    record, or none at hand. `used` counts the readings that got their record from here; whoever
    uses one counts it.
    """

    def __init__(self, look: Callable[[Any], Metadata | None] = lambda _key: None) -> None:
        super().__init__()
        self.used = 0
        self._look = look

    def __missing__(self, key: Any) -> Metadata | None:
        return self._look(key)


_BETWEEN = "\x1f"
"""Between the two parts of a composite key. A control character: no part holds it by accident."""


def join_key(partition: str, sort: str) -> str:
    """A composite key as one text, as stores and caches take it; ValueError if it cannot be."""
    if _BETWEEN in partition:
        raise ValueError("the partition key holds the control character U+001F")
    return f"{partition}{_BETWEEN}{sort}"


def split_key(key: str) -> tuple[str, str]:
    """Partition and sort key of a composite key; the sort key is empty when there is none."""
    partition, _, sort = key.partition(_BETWEEN)
    return partition, sort

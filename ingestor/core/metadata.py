"""What is known about a device, as tag values."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Metadata:
    """The scalar attributes of one metadata record, already turned into tag text.

    Compared by identity: the encoder keeps the escaped form of a record for as long as
    the cache hands out the same object.
    """

    attributes: dict[str, str] = field(default_factory=dict)


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

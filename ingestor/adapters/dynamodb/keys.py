"""Keys of a table: one text for us, one attribute or two for DynamoDB."""

from dataclasses import dataclass
from typing import Any

from ingestor.core.metadata import join_key, split_key

LONGEST_KEY_BYTES = 2048
"""The limit of a partition key."""
LONGEST_SORT_KEY_BYTES = 1024
"""The limit of a sort key."""
_CHECK_KEY = "ingestor-check"


@dataclass(slots=True, frozen=True)
class TableKey:
    """The attributes that are the key, both of them strings; `sort` is None where there is none.

    With a sort key, texts are those that `core.metadata.join_key` makes.
    """

    partition: str
    sort: str | None = None

    @property
    def attributes(self) -> list[str]:
        """Their names, the partition key's first."""
        return [self.partition] if self.sort is None else [self.partition, self.sort]

    @property
    def of_no_record(self) -> str:
        """A key that no record has, to ask for."""
        return _CHECK_KEY if self.sort is None else join_key(_CHECK_KEY, _CHECK_KEY)

    def typed(self, key: str) -> dict[str, dict[str, str]]:
        """A key as DynamoDB takes it."""
        if self.sort is None:
            return {self.partition: {"S": key}}
        partition, sort = split_key(key)
        return {self.partition: {"S": partition}, self.sort: {"S": sort}}

    def text(self, item: Any) -> str:
        """The key of an item, or of a key that was left unprocessed."""
        partition: str = item[self.partition]["S"]
        return partition if self.sort is None else join_key(partition, item[self.sort]["S"])

    def allows(self, text: str) -> bool:
        """Whether a record can have this key."""
        if self.sort is None:
            return _has_bytes(text, LONGEST_KEY_BYTES)
        partition, sort = split_key(text)
        return _has_bytes(partition, LONGEST_KEY_BYTES) and _has_bytes(sort, LONGEST_SORT_KEY_BYTES)


def _has_bytes(text: str, most: int) -> bool:
    """Whether the text has at least one byte and at most so many."""
    try:
        return 0 < len(text.encode()) <= most
    except UnicodeEncodeError:  # a lone surrogate
        return False

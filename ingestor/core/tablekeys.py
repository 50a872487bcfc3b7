"""Keys of the metadata table: one text for us, one attribute or two of an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingestor.core.metadata import join_key, split_key


@dataclass(slots=True, frozen=True)
class Keys:
    """The names of a table's key attributes; keys as one text are those of `core.metadata`."""

    partition: str
    sort: str | None = None

    def of(self, item: Mapping[str, Any]) -> str:
        """The key of an item, or of a key that has its attributes alone."""
        partition: str = item[self.partition]["S"]
        return partition if self.sort is None else join_key(partition, item[self.sort]["S"])

    def join(self, key: str, sort_key: str | None) -> str:
        """The key that a person names; ValueError when the table has no such keys."""
        if (sort_key is None) != (self.sort is None):
            raise ValueError("a sort key is needed" if self.sort else "there is no sort key")
        return key if sort_key is None else join_key(key, sort_key)

    def split(self, key: str) -> tuple[str, str | None]:
        """Both parts of a key."""
        return (key, None) if self.sort is None else split_key(key)

    def names(self) -> tuple[str, ...]:
        """Its attributes."""
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    def item(self, key: str) -> dict[str, dict[str, str]]:
        """The key as an item has it."""
        parts = self.split(key)
        return {name: {"S": text or ""} for name, text in zip(self.names(), parts, strict=False)}

    def tags(self, key: str) -> dict[str, str]:
        """The key as tags of readings."""
        return {name: typed["S"] for name, typed in self.item(key).items()}

"""A table of metadata records in memory."""

from collections.abc import AsyncGenerator, Iterable
from copy import deepcopy

from ingestor.console_ports import Item, Merged, NotStorable
from ingestor.core.tablekeys import Keys

PAGE = 100
MOST_BYTES = 400_000


class MemoryRecords:
    """A `RecordTable` over a dict, `items`, by key. While `fault` is set every call raises it."""

    def __init__(
        self,
        items: Iterable[Item] = (),
        *,
        key_attribute: str = "metakey",
        sort_attribute: str | None = None,
    ) -> None:
        self._key = Keys(key_attribute, sort_attribute).of
        self.fault: Exception | None = None
        self.scans = 0
        self.items: dict[str, Item] = {}
        for item in items:
            self.items[self._key(item)] = item

    async def get(self, key: str) -> Item | None:
        """See RecordTable."""
        self._fail()
        return deepcopy(self.items.get(key))

    async def create(self, item: Item) -> bool:
        """See RecordTable."""
        self._fail()
        key = self._key(item)
        if key in self.items:
            return False
        self.items[key] = self._storable(item)
        return True

    async def replace(self, old: Item, new: Item) -> bool:
        """See RecordTable."""
        self._fail()
        key = self._key(old)
        now = self.items.get(key)
        added = new.keys() - old.keys()
        if now is None or any(now.get(name) != value for name, value in old.items()):
            return False
        if added & now.keys():
            return False
        others = {name: value for name, value in now.items() if name not in old}
        self.items[key] = self._storable({**others, **new})
        return True

    async def merge(self, item: Item) -> Merged:
        """See RecordTable."""
        self._fail()
        key = self._key(item)
        old = self.items.get(key)
        new = self._storable({**(old or {}), **item})
        self.items[key] = new
        if old is None:
            return Merged.CREATED
        return Merged.UNCHANGED if old == new else Merged.CHANGED

    async def scan(self) -> AsyncGenerator[list[Item], None]:
        """See RecordTable."""
        self.scans += 1
        self._fail()
        everything = list(self.items.values())
        for n in range(0, max(1, len(everything)), PAGE):
            self._fail()
            yield deepcopy(everything[n : n + PAGE])

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _storable(self, item: Item) -> Item:
        if len(str(item)) > MOST_BYTES:
            raise NotStorable("it is too large")
        return {
            name: {kind: sorted(value) if kind in {"SS", "NS"} else value}
            for name, typed in deepcopy(item).items()
            for kind, value in typed.items()
        }

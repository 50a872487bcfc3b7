"""All records' keys and tag values in memory, so that a search reads no table.

A scan of 100,000 records of half a kilobyte is 50 calls of 1 MB, 6,250 read units, under a tenth of
a cent. So it is made when somebody looks and the last one is older than `TTL_SECONDS`, never
otherwise; people see the old state while it runs. A query of DynamoDB could not search by
attribute, or count, without reading just as much each time.
"""

import asyncio
import contextlib
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingestor.console import model
from ingestor.console.renewed import Renewed
from ingestor.console_ports import Item, RecordTable
from ingestor.core.tablekeys import Keys
from ingestor.core.tagvalues import tag_values
from ingestor.ports import Clock

TTL_SECONDS = 60.0
MOST_RECORDS = 200_000
MOST_CHARACTERS = 64 * 2**20
"""Of all keys, names and values together; names are kept once."""
SCAN_SECONDS = 120.0
FACET_VALUES = 20
FACET_ATTRIBUTES = 50


@dataclass(slots=True)
class Snapshot:
    """Records by key, in order, as they were at a moment."""

    complete: bool = True
    records: dict[str, dict[str, str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


class RecordIndex:
    """Made once; the `run` of `renewed` keeps it going."""

    def __init__(self, table: RecordTable, keys: Keys, clock: Clock) -> None:
        self.keys = keys
        self._table = table
        self._clock = clock
        self._changed: dict[str, dict[str, str]] = {}
        self.renewed: Renewed[Snapshot] = Renewed(
            self._scan,
            what="A scan of all records",
            ttl_seconds=TTL_SECONDS,
            most_seconds=SCAN_SECONDS,
            clock=clock,
        )

    async def get(self) -> Snapshot:
        """The records; raises `Unavailable` when there are none yet."""
        return await self.renewed.get()

    def put(self, item: Item) -> None:
        """A record was written here: searches of this task know at once."""
        self._keep(self.keys.of(item), tag_values(item))

    def _keep(self, key: str, tags: dict[str, str]) -> None:
        self._changed[key] = tags
        snapshot = self.renewed.latest
        if snapshot is None:
            return
        if key not in snapshot.records:
            snapshot.order.insert(bisect_right(snapshot.order, key), key)
        snapshot.records[key] = tags

    def merge(self, item: Item) -> None:
        """Some attributes of a record were written here."""
        key = self.keys.of(item)
        snapshot = self.renewed.latest
        known = snapshot.records.get(key, {}) if snapshot else {}
        self._keep(key, {**known, **tag_values(item)})

    def state(self, snapshot: Snapshot) -> model.IndexState:
        """What a search of it has looked at."""
        return model.IndexState(
            records=len(snapshot.records),
            age_seconds=round(self.renewed.age_seconds, 1),
            complete=snapshot.complete,
        )

    async def _scan(self) -> Snapshot:
        new = Snapshot()
        self._changed.clear()
        size = 0
        async with contextlib.aclosing(self._table.scan()) as pages:
            async for page in pages:
                for item in page:
                    tags = {sys.intern(name): text for name, text in tag_values(item).items()}
                    size += sum(map(len, tags.values()))
                    new.records[self.keys.of(item)] = tags
                if len(new.records) > MOST_RECORDS or size > MOST_CHARACTERS:
                    new.complete = False
                    break
                await asyncio.sleep(0)  # the pipeline has this loop too
        new.records.update(self._changed)  # what was written here meanwhile
        new.order = sorted(new.records)
        return new


def search(
    q: str | None, where: Sequence[str], candidates: Iterable[tuple[str, str, Mapping[str, str]]]
) -> list[str]:
    """The names of all candidates (name, other text, attributes) that match.

    Takes 50 ms for 100,000: let it run beside the event loop.
    """
    pairs = [each.partition("=")[::2] for each in where]
    wanted = q.casefold() if q else None
    return [
        name
        for name, text, attributes in candidates
        if all(attributes.get(attribute) == value for attribute, value in pairs)
        and (wanted is None or _has(f"{name}\n{text}", attributes, wanted))
    ]


def matching(snapshot: Snapshot, q: str | None, where: Sequence[str]) -> list[str]:
    """The keys of all records that match, in order."""
    records = snapshot.records
    return search(q, where, ((key, "", records[key]) for key in list(snapshot.order)))


def page_of(keys: Sequence[str], cursor: str | None, limit: int) -> tuple[list[str], str | None]:
    """The keys after the cursor, and the cursor of the next page, None where this is the last."""
    begin = 0 if cursor is None else bisect_right(keys, cursor)
    page = list(keys[begin : begin + limit])
    return page, page[-1] if begin + limit < len(keys) else None


def facets(snapshot: Snapshot, without: Iterable[str]) -> list[model.AttributeInfo]:
    """What can be filtered by: the attributes that most records have, without the key."""
    counts: dict[str, Counter[str]] = {}
    for tags in list(snapshot.records.values()):
        for name, value in tags.items():
            counts.setdefault(name, Counter())[value] += 1
    for name in without:
        counts.pop(name, None)
    by_use = sorted(counts.items(), key=lambda each: (-each[1].total(), each[0]))
    return [
        model.AttributeInfo(
            name=name,
            records=values.total(),
            distinct=len(values),
            values=[
                model.ValueCount(value=value, count=count)
                for value, count in values.most_common(FACET_VALUES)
            ],
        )
        for name, values in by_use[:FACET_ATTRIBUTES]
    ]


def _has(key: str, tags: Mapping[str, str], wanted: str) -> bool:
    return wanted in key.casefold() or any(wanted in text.casefold() for text in tags.values())

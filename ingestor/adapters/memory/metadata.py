"""A metadata store in memory."""

import asyncio
from collections.abc import Mapping, Sequence

from ingestor.core.metadata import Known, Metadata


class MemoryMetadata:
    """A `MetadataCache` over a dict that tests may change at any time.

    `fetches` holds the keys of every call. Keys in `unanswered` are left out of the answer.
    While `fault` is set every call raises it; while `gate` is set and closed every call waits
    for it, and answers as things are after that. Only what is put into `known` is at hand.
    """

    def __init__(self, records: Mapping[str, Metadata] | None = None) -> None:
        self.records = dict(records or {})
        self.fetches: list[tuple[str, ...]] = []
        self.unanswered: set[str] = set()
        self.fault: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.known = Known()

    def at_hand(self) -> Known:
        """See MetadataCache."""
        return self.known

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, Metadata | None]:
        """See MetadataStore."""
        self.fetches.append(tuple(keys))
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return {key: self.records.get(key) for key in keys if key not in self.unanswered}

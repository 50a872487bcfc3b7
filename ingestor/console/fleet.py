"""Which devices there are, which of them report, and which record each has.

A device is a value of the device tag. To ask for all of them is the heaviest query of the console
(9 s for 100,000 on two busy cores), so the answer is kept: all of the last week for some minutes,
those of the last five minutes for some seconds, both longer where the query is slow.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingestor.console.renewed import Renewed
from ingestor.console_ports import SeriesReader
from ingestor.core.tablekeys import Keys
from ingestor.ports import Clock

SECOND_NS = 10**9
KNOWN_DAYS = 7
KNOWN_TTL_SECONDS = 120.0
REPORTING_SECONDS = 300
REPORTING_TTL_SECONDS = 10.0
FRESH_SECONDS = 20.0
"""An answer about all devices that is no older says who reports, too."""
MOST_SECONDS = 60.0
MOST_DEVICES = 200_000


class Seen(NamedTuple):
    """The key of a device's record, empty where its readings name none, and its last reading."""

    key: str
    last_ns: int


@dataclass(slots=True)
class Devices:
    """By id, and all ids in order."""

    by_id: dict[str, Seen] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


class Fleet:
    """Made once; the `run` of `known` and `reporting` keep it renewed."""

    def __init__(self, reader: SeriesReader, keys: Keys, device_tag: str, clock: Clock) -> None:
        self.device_tag = device_tag
        self._reader = reader
        self._keys = keys
        self._clock = clock
        self.known: Renewed[Devices] = Renewed(
            self._find_known,
            what="A look for all devices",
            ttl_seconds=KNOWN_TTL_SECONDS,
            most_seconds=MOST_SECONDS,
            clock=clock,
        )
        self.reporting: Renewed[frozenset[str]] = Renewed(
            self._find_reporting,
            what="A look for devices that report",
            ttl_seconds=REPORTING_TTL_SECONDS,
            most_seconds=MOST_SECONDS,
            clock=clock,
        )

    async def _find_known(self) -> Devices:
        found = await self._seen(KNOWN_DAYS * 86_400)
        return Devices(found, sorted(found))

    async def _find_reporting(self) -> frozenset[str]:
        known = self.known.latest
        if known is not None and self.known.age_seconds < FRESH_SECONDS:
            since_ns = self._clock.time_ns() - REPORTING_SECONDS * SECOND_NS
            return frozenset(name for name, seen in known.by_id.items() if seen.last_ns >= since_ns)
        found = await self._seen(REPORTING_SECONDS)
        if known is not None:
            is_more = not found.keys() <= known.by_id.keys()
            known.by_id.update(found)
            if is_more:
                known.order = sorted(known.by_id)
        return frozenset(found)

    async def _seen(self, seconds: int) -> dict[str, Seen]:
        seen = await self._reader.seen(
            (self.device_tag, *self._keys.names()),
            since_ns=self._clock.time_ns() - seconds * SECOND_NS,
            limit=MOST_DEVICES,
        )
        # A tenth of a second for 100,000: beside the event loop, which the pipeline has too.
        return await asyncio.to_thread(self._by_id, seen)

    def _by_id(self, seen: Mapping[tuple[str, ...], int]) -> dict[str, Seen]:
        found: dict[str, Seen] = {}
        for (name, *key), last_ns in seen.items():
            device = Seen(self._key(key), last_ns)
            if name and (name not in found or found[name].last_ns < last_ns):
                found[name] = device
        return found

    def _key(self, parts: Sequence[str]) -> str:
        return self._keys.join(parts[0], parts[1] if len(parts) > 1 else None) if parts[0] else ""

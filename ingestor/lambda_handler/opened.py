"""What stays open from one invocation to the next."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from ingestor.adapters.cache import CachedMetadata
from ingestor.config import Settings
from ingestor.dependencies import open_queue, open_sink, open_store
from ingestor.ports import Clock, Queue, TimeSeriesSink


@dataclass(slots=True, frozen=True)
class Opened:
    """Connections and the cache, which is warm after the first event."""

    queue: Queue
    cache: CachedMetadata
    sink: TimeSeriesSink


@asynccontextmanager
async def open_all(settings: Settings, *, clock: Clock, random: Random) -> AsyncIterator[Opened]:
    """Open all that is needed, or nothing. `clock` is what the age of cached records is told by.

    Raises:
        Unavailable: something is out of reach now.
        QueueSetupError, TableSetupError: something can not be used as it is.
    """
    async with (
        open_queue(settings) as queue,
        open_store(settings, clock=clock, random=random) as store,
        open_sink(settings) as sink,
    ):
        await sink.ping()
        cache = CachedMetadata(
            store,
            capacity=settings.cache_size,
            ttl_seconds=settings.cache_ttl_seconds,
            negative_ttl_seconds=settings.cache_negative_ttl_seconds,
            stale_seconds=settings.cache_stale_seconds,
            clock=clock,
            random=random,
        )
        yield Opened(queue, cache, _Greeted(sink))


class _Greeted:
    """A sink that was asked once whether it takes writes: not again for every event."""

    def __init__(self, sink: TimeSeriesSink) -> None:
        self._sink = sink

    async def write(self, lines: Sequence[bytes]) -> None:
        """See TimeSeriesSink."""
        await self._sink.write(lines)

    async def ping(self) -> None:
        """See TimeSeriesSink."""

"""Rows 27, 28 and 30 of the fault catalogue: the cache under pressure, on virtual time."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.memory import FakeClock, MemoryMetadata
from ingestor.core.metadata import Metadata
from ingestor.core.prefix import PrefixCache
from ingestor.ports import MetadataStore, Unavailable

CAPACITY = 1_000


def make_cache(store: MetadataStore, clock: FakeClock) -> CachedMetadata:
    """A small cache whose records live long."""
    return CachedMetadata(
        store,
        capacity=CAPACITY,
        ttl_seconds=3600,
        negative_ttl_seconds=3600,
        stale_seconds=3600,
        clock=clock,
        random=Random(1),  # noqa: S311 - chance, not secrets
    )


async def test_f27_many_misses_of_one_key() -> None:
    """Five hundred who miss the same key at once cause one look-up, and all have its answer."""
    clock = FakeClock()
    store = MemoryMetadata({"a": Metadata({"name": "a"})})
    store.gate = asyncio.Event()
    cache = make_cache(store, clock)
    async with asyncio.TaskGroup() as group:
        fetches = []
        for n in range(500):
            fetches.append(group.create_task(cache.fetch(["a"]), name=f"fetch-{n}"))
            if n == 250:  # half of them come while it is under way
                await clock.settle()
        await clock.settle()
        store.gate.set()

    assert store.fetches == [("a",)]
    assert {each.result()["a"] for each in fetches} == {store.records["a"]}


async def test_f28_the_look_up_fails() -> None:
    """All who wait for a look-up that fails learn it, and the key can be looked up again."""
    clock = FakeClock()
    store = MemoryMetadata({"a": Metadata({"name": "a"})})
    store.gate = asyncio.Event()
    store.fault = Unavailable("the store is down")
    cache = make_cache(store, clock)
    fetches = [asyncio.create_task(cache.fetch(["a"]), name=f"fetch-{n}") for n in range(20)]
    await clock.settle()
    store.gate.set()
    for each in fetches:
        with pytest.raises(Unavailable, match="the store is down"):
            await each
    assert cache.looking_up == 0

    store.fault = None
    assert await cache.fetch(["a"]) == {"a": store.records["a"]}
    assert store.fetches == [("a",), ("a",)]


class Endless(MetadataStore):
    """A store that knows every other key."""

    async def fetch(self, keys: Sequence[str]) -> dict[str, Metadata | None]:
        """See MetadataStore."""
        return {key: None if int(key) % 2 else Metadata({"name": key}) for key in keys}


async def test_f30_more_devices_than_the_cache_holds() -> None:
    """However many keys are asked for, no more than its capacity is kept, and all are answered."""
    cache = make_cache(Endless(), FakeClock())
    answered = 0
    for start in range(0, 100_000, 1_000):
        answers = await cache.fetch([str(n) for n in range(start, start + 1_000)])
        answered += len(answers)
        assert cache.size <= CAPACITY
        assert cache.looking_up == 0

    assert answered == 100_000


def test_f30_a_million_series_in_the_encoder() -> None:
    """The prefixes of series that the encoder remembers are bounded likewise."""
    prefixes: PrefixCache[str] = PrefixCache(CAPACITY)
    for n in range(1_000_000):
        prefixes.put(n, "prefix")

    assert len(prefixes) <= CAPACITY

"""The cache in front of the metadata store, on virtual time."""

import asyncio
from contextlib import suppress
from random import Random

from support.cached import make_cache, record, records, texts

from ingestor.adapters.cache import (
    CALLS_AT_ONCE,
    KEYS_PER_CALL,
    CachedMetadata,
)
from ingestor.adapters.memory import FakeClock, MemoryMetadata


async def test_asks_the_store_once_for_a_record(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """A second fetch is answered from memory, with the same object."""
    first = await cache.fetch(["a", "b"])
    second = await cache.fetch(["b", "a"])
    assert first["a"] is second["a"] is store.records["a"]
    assert store.fetches == [("a", "b")]
    assert (cache.misses, cache.hits, cache.size) == (2, 2, 2)


async def test_asks_for_what_it_does_not_have_only(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """A fetch of known and unknown keys looks up the unknown ones."""
    await cache.fetch(["a"])
    assert texts(await cache.fetch(["a", "b"])) == {"a": "a", "b": "b"}
    assert store.fetches == [("a",), ("b",)]


async def test_without_keys_nobody_is_asked(cache: CachedMetadata, store: MemoryMetadata) -> None:
    """An empty fetch has an empty answer."""
    assert await cache.fetch([]) == {}
    assert store.fetches == []


async def test_looks_up_again_after_the_ttl(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """A record is used for its time to live, then its successor is."""
    await cache.fetch(["a"])
    store.records["a"] = record("new")
    await clock.advance(99.9)
    assert texts(await cache.fetch(["a"])) == {"a": "a"}
    await clock.advance(0.1)
    assert texts(await cache.fetch(["a"])) == {"a": "new"}


async def test_an_unchanged_record_keeps_its_identity(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """After a new look-up with the same outcome the same object is handed out."""
    before = await cache.fetch(["a"])
    store.records["a"] = record("a")
    await clock.advance(100)
    after = await cache.fetch(["a"])
    assert after["a"] is before["a"]
    assert len(store.fetches) == 2


async def test_none_is_believed_for_a_shorter_time(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """That there is no record is remembered too, but not for long."""
    assert await cache.fetch(["x"]) == {"x": None}
    assert await cache.fetch(["x"]) == {"x": None}
    assert (cache.negative_hits, cache.hits, len(store.fetches)) == (1, 0, 1)
    store.records["x"] = record("x")
    await clock.advance(10)
    assert texts(await cache.fetch(["x"])) == {"x": "x"}


async def test_lives_differ_by_a_tenth(store: MemoryMetadata, clock: FakeClock) -> None:
    """Records of one look-up expire one after another, within 90 and 110 % of the TTL."""
    keys = [f"k{n}" for n in range(100)]
    store.records |= records(keys)
    cache = make_cache(store, clock, random=Random(1))  # noqa: S311 - chance, not secrets
    await cache.fetch(keys)
    await clock.advance(89.9)
    await cache.fetch(keys)
    assert cache.misses == 100
    await clock.advance(10.1)
    await cache.fetch(keys)
    assert 120 < cache.misses < 180
    await clock.advance(89.9)
    await clock.advance(20.2)
    misses = cache.misses
    await cache.fetch(keys)
    assert cache.misses == misses + 100


async def test_keeps_no_more_than_its_capacity(store: MemoryMetadata, clock: FakeClock) -> None:
    """The least recently used key goes first, and a large fetch is answered in full."""
    cache = make_cache(store, clock, capacity=2)
    assert len(await cache.fetch(["a", "b", "c"])) == 3
    assert cache.size == 2
    await cache.fetch(["b"])
    await cache.fetch(["a"])
    await cache.fetch(["b"])
    assert store.fetches == [("a", "b", "c"), ("a",)]


async def test_misses_of_the_same_moment_are_one_call(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """Fetches that run in the same turn of the loop share a call, each key once."""
    answers = await asyncio.gather(
        cache.fetch(["a", "b"]), cache.fetch(["b", "c"]), cache.fetch(["x"])
    )
    assert [texts(each) for each in answers] == [
        {"a": "a", "b": "b"},
        {"b": "b", "c": "c"},
        {"x": None},
    ]
    assert store.fetches == [("a", "b", "c", "x")]
    assert (cache.misses, cache.joined) == (5, 1)


async def test_joins_a_look_up_under_way(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """A key that is being looked up is not asked for a second time."""
    store.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(cache.fetch(["a"]), name="first")
        await clock.settle()
        second = group.create_task(cache.fetch(["a", "b"]), name="second")
        await clock.settle()
        assert cache.looking_up == 2
        store.gate.set()
    assert texts(first.result()) == {"a": "a"}
    assert texts(second.result()) == {"a": "a", "b": "b"}
    assert store.fetches == [("a",), ("b",)]
    assert (cache.joined, cache.looking_up) == (1, 0)


async def test_calls_have_at_most_a_hundred_keys_and_are_few(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """Many misses become full calls, several at once, and what comes meanwhile is collected."""
    store.gate = asyncio.Event()
    keys = [f"k{n}" for n in range(KEYS_PER_CALL * (CALLS_AT_ONCE + 1))]
    async with asyncio.TaskGroup() as group:
        many = group.create_task(cache.fetch(keys), name="many")
        await clock.settle()
        assert [len(each) for each in store.fetches] == [KEYS_PER_CALL] * CALLS_AT_ONCE
        late = [
            group.create_task(cache.fetch([key]), name=f"late-{key}") for key in ("a", "b", "c")
        ]
        await clock.settle()
        assert len(store.fetches) == CALLS_AT_ONCE
        store.gate.set()
    assert len(many.result()) == len(keys)
    assert [texts(each.result()) for each in late] == [{"a": "a"}, {"b": "b"}, {"c": "c"}]
    assert store.fetches[-1] == ("a", "b", "c")
    assert len(store.fetches) == CALLS_AT_ONCE + 2


async def test_a_cancelled_fetch_leaves_the_others_their_answer(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """Cancelling the fetch that started a look-up does not end it for those who joined."""
    store.gate = asyncio.Event()
    starter = asyncio.create_task(cache.fetch(["a"]), name="starter")
    await clock.settle()
    joiner = asyncio.create_task(cache.fetch(["a"]), name="joiner")
    await clock.settle()
    starter.cancel()
    with suppress(asyncio.CancelledError):
        await starter
    assert starter.cancelled()
    store.gate.set()
    assert texts(await joiner) == {"a": "a"}
    assert store.fetches == [("a",)]


async def test_a_look_up_ends_with_the_last_who_waits(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """When everybody is cancelled no task is left, and the key can be asked for again."""
    store.gate = asyncio.Event()
    fetches = [asyncio.create_task(cache.fetch(["a"]), name=f"fetch-{n}") for n in range(2)]
    await clock.settle()
    for each in fetches:
        each.cancel()
    await asyncio.wait(fetches)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert cache.looking_up == 0
    store.gate.set()
    assert texts(await cache.fetch(["a"])) == {"a": "a"}


async def test_a_fetch_cancelled_before_its_call_started_leaves_nothing(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """The next fetch does not join a call that was given up before it began."""
    fetch = asyncio.create_task(cache.fetch(["a"]), name="fetch")
    await asyncio.sleep(0)
    fetch.cancel()
    await asyncio.wait([fetch])
    assert texts(await cache.fetch(["a"])) == {"a": "a"}
    assert store.fetches == [("a",)]


async def test_what_is_forgotten_is_looked_up_again(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """A changed record is seen before its time is up, if only just used; the others stay."""
    for _ in range(2):
        await cache.fetch(["a", "b", "nobody"])
    store.records["a"] = record("new")
    store.records["nobody"] = record("somebody")
    assert cache.forget(["a", "nobody", "unknown"]) == 2
    assert texts(await cache.fetch(["a", "b", "nobody"])) == {
        "a": "new",
        "b": "b",
        "nobody": "somebody",
    }
    assert store.fetches[1:] == [("a", "nobody")]


async def test_a_look_up_under_way_is_not_kept_when_its_key_is_forgotten(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """It may have read what was: those who wait get it, and whoever comes later asks again."""
    store.gate = asyncio.Event()
    waiting = asyncio.create_task(cache.fetch(["a", "b"]))
    await clock.settle()
    assert cache.forget(["a"]) == 0
    store.gate.set()
    assert texts(await waiting) == {"a": "a", "b": "b"}
    store.records["a"] = record("new")
    assert texts(await cache.fetch(["a", "b"])) == {"a": "new", "b": "b"}
    assert store.fetches == [("a", "b"), ("a",)]

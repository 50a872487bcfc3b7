"""The cache in front of the metadata store, on virtual time."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from random import Random

import pytest

from ingestor.adapters.cache import (
    CALLS_AT_ONCE,
    GRACE_SECONDS,
    KEYS_PER_CALL,
    CachedMetadata,
)
from ingestor.adapters.memory import FakeClock, MemoryMetadata
from ingestor.core.metadata import Metadata
from ingestor.ports import Unavailable

DOWN = Unavailable("the store is down")


class Middle(Random):
    """Chance without any: the jitter is nought."""

    def random(self) -> float:
        """The middle."""
        return 0.5


def record(text: str) -> Metadata:
    """A metadata record that can be told from others."""
    return Metadata({"name": text})


def records(keys: Iterable[str]) -> dict[str, Metadata]:
    """A record for each key."""
    return {key: record(key) for key in keys}


@pytest.fixture
def clock() -> FakeClock:
    """Virtual time."""
    return FakeClock()


@pytest.fixture
def store() -> MemoryMetadata:
    """A store that knows `a`, `b` and `c`."""
    return MemoryMetadata(records("abc"))


@pytest.fixture
def cache(store: MemoryMetadata, clock: FakeClock) -> CachedMetadata:
    """A cache: 100 s for records, 10 s for none, 1,000 s more during outages."""
    return make_cache(store, clock)


def make_cache(
    store: MemoryMetadata,
    clock: FakeClock,
    *,
    capacity: int = 1000,
    random: Random | None = None,
) -> CachedMetadata:
    """A cache with the ages that the tests know."""
    return CachedMetadata(
        store,
        capacity=capacity,
        ttl_seconds=100,
        negative_ttl_seconds=10,
        stale_seconds=1000,
        clock=clock,
        random=random or Middle(),
    )


def texts(answers: Mapping[str, Metadata | None]) -> dict[str, str | None]:
    """Answers without their objects."""
    return {key: None if each is None else each.attributes["name"] for key, each in answers.items()}


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


async def test_what_is_not_answered_is_neither_guessed_nor_kept(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """An unanswered key is absent from the answer, and asked for again at once."""
    store.unanswered = {"a"}
    assert texts(await cache.fetch(["a", "b"])) == {"b": "b"}
    store.unanswered = set()
    assert texts(await cache.fetch(["a"])) == {"a": "a"}
    assert store.fetches == [("a", "b"), ("a",)]


async def test_an_outage_without_anything_in_memory_is_told(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """With no answer for any key the store's own error comes through, to all who wait."""
    store.fault = DOWN
    outcomes = await asyncio.gather(
        cache.fetch(["a"]), cache.fetch(["a", "b"]), return_exceptions=True
    )
    assert list(outcomes) == [DOWN, DOWN]
    assert cache.size == 0
    store.fault = None
    assert texts(await cache.fetch(["a"])) == {"a": "a"}


async def test_no_answer_for_these_keys_is_no_outage(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """A call that answered for others' keys only leaves these unknown, and the store is there."""
    store.unanswered = {"a"}
    outcomes = await asyncio.gather(cache.fetch(["a"]), cache.fetch(["b"]), return_exceptions=True)
    assert outcomes[0] == {}
    assert isinstance(outcomes[1], dict)
    assert clock.sleeping == 0


async def test_what_is_in_memory_is_answered_during_an_outage(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """Known keys are answered while the store is down; the others are absent."""
    await cache.fetch(["a"])
    store.fault = DOWN
    assert texts(await cache.fetch(["a", "b"])) == {"a": "a"}


async def test_an_outdated_record_serves_during_an_outage(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """While the store is down records outlive their TTL, but not for ever."""
    await cache.fetch(["a"])
    store.fault = DOWN
    await clock.advance(100)
    assert texts(await cache.fetch(["a"])) == {"a": "a"}
    assert cache.stale == 1
    await clock.advance(999.9)
    assert texts(await cache.fetch(["a"])) == {"a": "a"}
    await clock.advance(0.1)
    with pytest.raises(Unavailable):
        await cache.fetch(["a"])


async def test_an_outdated_record_serves_where_its_key_was_not_answered(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """A throttled key is answered from memory, its neighbour from the store."""
    await cache.fetch(["a"])
    await clock.advance(100)
    store.unanswered = {"a"}
    store.records["b"] = record("new")
    assert texts(await cache.fetch(["a", "b"])) == {"a": "a", "b": "new"}


async def test_an_outage_is_not_waited_for_with_every_fetch(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """After a failed look-up an outdated record is used for some seconds without asking."""
    await cache.fetch(["a"])
    await clock.advance(100)
    store.fault = DOWN
    for _ in range(3):
        await cache.fetch(["a"])
    assert len(store.fetches) == 2
    store.fault = None
    store.records["a"] = record("new")
    await clock.advance(GRACE_SECONDS)
    assert texts(await cache.fetch(["a"])) == {"a": "new"}


async def test_that_there_is_none_is_not_believed_longer_during_an_outage(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """Unknown is not missing: an outdated "there is none" answers nothing."""
    await cache.fetch(["x"])
    store.fault = DOWN
    await clock.advance(10)
    with pytest.raises(Unavailable):
        await cache.fetch(["x"])


async def test_a_mistake_in_the_store_is_not_hidden(
    cache: CachedMetadata, store: MemoryMetadata
) -> None:
    """Anything but Unavailable comes through as it is."""
    store.fault = ValueError("a mistake")
    with pytest.raises(ValueError, match="a mistake"):
        await cache.fetch(["a"])


async def test_a_look_up_that_the_loop_cancelled_is_unavailable(
    cache: CachedMetadata, store: MemoryMetadata, clock: FakeClock
) -> None:
    """Those who wait for a call that somebody else cancelled learn that there is no answer."""
    store.gate = asyncio.Event()
    fetch = asyncio.create_task(cache.fetch(["a"]), name="fetch")
    await clock.settle()
    for task in asyncio.all_tasks():
        if task.get_name() == "metadata-look-up":
            task.cancel()
    with pytest.raises(Unavailable):
        await fetch


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

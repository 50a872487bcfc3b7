"""The cache while the store does not answer, or not for every key."""

import asyncio

import pytest
from support.cached import record, texts

from ingestor.adapters.cache import GRACE_SECONDS, CachedMetadata
from ingestor.adapters.memory import FakeClock, MemoryMetadata
from ingestor.ports import Unavailable

DOWN = Unavailable("the store is down")


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

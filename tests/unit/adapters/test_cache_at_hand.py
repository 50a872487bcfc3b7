"""What the cache has at hand: no longer than it may be used, and without hiding what is used."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cached import TTL_SECONDS, make_cache, record, records

from ingestor.adapters.cache import JITTER, CachedMetadata
from ingestor.adapters.memory import FakeClock, MemoryMetadata

KEYS = "abc"


async def test_it_is_what_may_be_used_now(cache: CachedMetadata, store: MemoryMetadata) -> None:
    """Fresh records, without a wait; neither "there is none" nor what nobody asked for."""
    assert cache.at_hand()["a"] is None
    await cache.fetch(["a", "x"])
    known = cache.at_hand()
    assert [known[key] for key in ("a", "b", "x", None, 5)] == [store.records["a"], *[None] * 4]
    known.used += 3
    assert cache.hits == 3
    assert store.fetches == [("a", "x")]


@pytest.mark.parametrize("just_used", [False, True])
@pytest.mark.parametrize("second", [0.0, 0.5])
async def test_no_longer_than_its_time(
    cache: CachedMetadata, clock: FakeClock, second: float, *, just_used: bool
) -> None:
    """To the moment, wherever within a second it ends: in that one it is looked for each time."""
    await clock.advance(second)
    await cache.fetch(["a"])
    await clock.advance(99.9)
    assert not just_used or cache.at_hand()["a"] is not None
    await clock.advance(0.1)
    assert cache.at_hand()["a"] is None


async def test_while_there_is_room_it_stays(cache: CachedMetadata, clock: FakeClock) -> None:
    """In the dictionary itself, until the second in which it ends; then it leaves nothing."""
    await cache.fetch(["a"])
    assert cache.at_hand()["a"] is not None
    for _ in range(int(TTL_SECONDS) - 1):
        await clock.advance(1)
        assert "a" in cache.at_hand()
    await clock.advance(1)
    assert not cache.at_hand()


async def test_after_a_long_rest_nothing_outdated_is_there(
    cache: CachedMetadata, clock: FakeClock
) -> None:
    """Nobody has asked for a day."""
    await cache.fetch(["a"])
    assert cache.at_hand()["a"] is not None
    await clock.advance(86_400)
    assert cache.at_hand()["a"] is None


async def test_what_is_forgotten_is_not_there(cache: CachedMetadata) -> None:
    """Although it was just used."""
    await cache.fetch(["a"])
    assert cache.at_hand()["a"] is not None
    cache.forget(["a"])
    assert cache.at_hand()["a"] is None


async def test_in_a_full_cache_use_is_noted_every_second(
    store: MemoryMetadata, clock: FakeClock
) -> None:
    """So that what goes is what was not used, and not what was looked up first."""
    cache = make_cache(store, clock, capacity=2)
    await cache.fetch(["a", "b"])
    for _ in range(2):
        assert cache.at_hand()["a"] is not None
        await clock.advance(1)
    assert not cache.at_hand()
    assert cache.at_hand()["a"] is not None
    await cache.fetch(["c"])
    await clock.advance(1)
    known = cache.at_hand()
    assert [known[key] is not None for key in "abc"] == [True, False, True]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fetch", "use", "forget", "change"]),
        st.sampled_from(KEYS),
        st.floats(0, 40),
    ),
    max_size=60,
)


@given(steps=STEPS, capacity=st.integers(1, 6), seed=st.integers(0, 9))
async def test_it_is_never_outdated(
    steps: list[tuple[str, str, float]], capacity: int, seed: int
) -> None:
    """Whatever is done and however long it takes: all of it was looked up within its time."""
    clock = FakeClock()
    store = MemoryMetadata(records(KEYS))
    cache = make_cache(store, clock, capacity=capacity, random=Random(seed))  # noqa: S311
    looked_up: dict[str, tuple[float, dict[str, str]]] = {}
    for step, key, seconds in steps:
        before = len(store.fetches)
        if step == "fetch":
            await cache.fetch([key])
        elif step == "use":
            used = cache.at_hand()[key]
            assert used is None or used.attributes == looked_up[key][1]
        elif step == "forget":
            cache.forget([key])
            looked_up.pop(key, None)
        else:
            store.records[key] = record(f"{key} at {clock.monotonic()}")
        if len(store.fetches) > before:
            looked_up[key] = (clock.monotonic(), store.records[key].attributes)
        await clock.advance(seconds)
        for each, known in cache.at_hand().items():
            since, attributes = looked_up[each]
            assert known is not None
            assert known.attributes == attributes
            assert clock.monotonic() < since + TTL_SECONDS * (1 + JITTER)

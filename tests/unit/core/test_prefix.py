"""The bounded memory of prefixes."""

from ingestor.core.prefix import PrefixCache


def test_remembers() -> None:
    """What was put is there."""
    cache: PrefixCache[str] = PrefixCache(4)
    cache.put("a", "A")

    assert (cache.get("a"), cache.get("b")) == ("A", None)


def test_never_exceeds_its_capacity() -> None:
    """However many series come, the memory stays bounded."""
    cache: PrefixCache[str] = PrefixCache(10)
    for n in range(1000):
        cache.put(n, "x")
        assert len(cache) <= 10


def test_keeps_what_is_used() -> None:
    """A series that is asked for again and again outlives any number of others."""
    cache: PrefixCache[str] = PrefixCache(4)
    cache.put("hot", "HOT")
    for n in range(100):
        cache.put(n, "x")

        assert cache.get("hot") == "HOT"


def test_forgets_what_is_not_used() -> None:
    """A series that nobody asks for goes."""
    cache: PrefixCache[str] = PrefixCache(4)
    cache.put("cold", "COLD")
    for n in range(4):
        cache.put(n, "x")

    assert cache.get("cold") is None

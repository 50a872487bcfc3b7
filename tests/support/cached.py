"""A cache in front of a store, and what it is about."""

from collections.abc import Iterable, Mapping
from random import Random

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.memory import FakeClock, MemoryMetadata
from ingestor.core.metadata import Metadata

TTL_SECONDS = 100.0


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


def make_cache(
    store: MemoryMetadata,
    clock: FakeClock,
    *,
    capacity: int = 1000,
    random: Random | None = None,
) -> CachedMetadata:
    """A cache: 100 s for records, 10 s for none, 1,000 s more during outages."""
    return CachedMetadata(
        store,
        capacity=capacity,
        ttl_seconds=TTL_SECONDS,
        negative_ttl_seconds=10,
        stale_seconds=1000,
        clock=clock,
        random=random or Middle(),
    )


def texts(answers: Mapping[str, Metadata | None]) -> dict[str, str | None]:
    """Answers without their objects."""
    return {key: None if each is None else each.attributes["name"] for key, each in answers.items()}

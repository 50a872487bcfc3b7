"""The cache as its tests share it."""

import pytest
from support.cached import make_cache, records

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.memory import FakeClock, MemoryMetadata


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
    """In front of it, with room for all: see `make_cache`."""
    return make_cache(store, clock)

"""The metadata store in memory: its switches."""

import asyncio

import pytest

from ingestor.adapters.memory import MemoryMetadata
from ingestor.core.metadata import Metadata
from ingestor.ports import Unavailable


@pytest.fixture
def store() -> MemoryMetadata:
    """A store that knows `a`."""
    return MemoryMetadata({"a": Metadata({"name": "a"})})


async def test_unanswered_keys_are_absent(store: MemoryMetadata) -> None:
    """They are neither a record nor None, whether other keys are asked for or not."""
    store.unanswered = {"b"}
    assert set(await store.fetch(["a", "b"])) == {"a"}
    assert await store.fetch(["b"]) == {}
    assert store.fetches == [("a", "b"), ("b",)]


async def test_a_fault_lasts_until_it_is_taken_away(store: MemoryMetadata) -> None:
    """Every call raises it, and is counted."""
    store.fault = Unavailable("down")
    for _ in range(2):
        with pytest.raises(Unavailable, match="down"):
            await store.fetch(["a"])
    store.fault = None
    assert (await store.fetch(["a"]))["a"] is store.records["a"]
    assert len(store.fetches) == 3


async def test_a_gate_holds_calls_up(store: MemoryMetadata) -> None:
    """What changes while a call waits is in its answer."""
    store.gate = asyncio.Event()
    call = asyncio.create_task(store.fetch(["b"]), name="fetch")
    await asyncio.sleep(0)
    store.records["b"] = Metadata({})
    store.gate.set()
    assert (await call)["b"] is store.records["b"]

"""What is opened when it is first needed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from ingestor.adapters.dynamodb import TableSetupError
from ingestor.adapters.memory import MemoryMetadata, MemoryRecords
from ingestor.app.late import Late, LateRecords, LateStore
from ingestor.console_ports import Merged, RecordTable
from ingestor.core.metadata import Metadata
from ingestor.ports import MetadataStore, Unavailable


async def test_opened_once_and_closed_at_the_end() -> None:
    """The first call opens it, a failure is told and tried again, the stack closes it."""
    events: list[str] = []
    wrong = [TableSetupError("no region")]

    @asynccontextmanager
    async def opening() -> AsyncIterator[str]:
        events.append("open")
        if wrong:
            raise wrong.pop()
        yield "it"
        events.append("closed")

    async with AsyncExitStack() as stack:
        late = Late(opening, stack)
        assert events == []
        with pytest.raises(Unavailable, match="no region"):
            await late.get()
        async with late.opened() as found:
            assert found == "it"
        assert await late.get() == "it"
        assert events == ["open", "open"]
    assert events[-1] == "closed"


async def test_calls_go_through() -> None:
    """A table and a store that are opened late do as they do."""
    table = MemoryRecords([{"metakey": {"S": "1"}}])
    store = MemoryMetadata({"1": Metadata({"a": "b"})})

    @asynccontextmanager
    async def open_table() -> AsyncIterator[RecordTable]:
        yield table

    @asynccontextmanager
    async def open_store() -> AsyncIterator[MetadataStore]:
        yield store

    async with AsyncExitStack() as stack:
        records = LateRecords(Late(open_table, stack))
        one, two = {"metakey": {"S": "1"}}, {"metakey": {"S": "2"}}
        assert await records.get("1") == one
        assert await records.create(two)
        assert await records.replace(two, {**two, "a": {"S": "b"}})
        assert await records.merge(two) is Merged.UNCHANGED
        assert [len(page) async for page in records.scan()] == [2]
        answers = await LateStore(Late(open_store, stack)).fetch(["1"])
    assert answers == store.records

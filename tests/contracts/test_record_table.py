"""What the `RecordTable` port promises, kept by the fake and by DynamoDB."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from contracts.emulators import Emulator, client, emulator_named, make_table, unique

from ingestor.adapters.dynamodb.records import open_records
from ingestor.adapters.memory import MemoryRecords
from ingestor.console_ports import Item, Merged, NotStorable, RecordTable

OpenTable = Callable[[], AbstractAsyncContextManager[RecordTable]]


@asynccontextmanager
async def memory_table() -> AsyncIterator[RecordTable]:
    """The shipped fake."""
    yield MemoryRecords()


def dynamodb_table(emulator: Emulator) -> OpenTable:
    """The adapter in front of an emulator."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[RecordTable]:
        table = unique("Records")
        async with client(emulator, "dynamodb") as dynamodb:
            await make_table(dynamodb, table, key="metakey")
        opening = open_records(
            table=table,
            key_attribute="metakey",
            endpoint_url=emulator.url,
            region_name=emulator.region,
        )
        async with opening as records:
            yield records

    return opened


@pytest.fixture(
    params=[
        "memory",
        pytest.param("moto", marks=pytest.mark.servers),
        pytest.param("ministack", marks=pytest.mark.servers),
    ]
)
def open_it(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OpenTable:
    """Makes tables of each implementation in turn."""
    if request.param == "memory":
        return memory_table
    emulator = emulator_named(request.param, request, monkeypatch)
    return dynamodb_table(emulator)


def item(key: str, **texts: str) -> Item:
    """A record of texts."""
    return {"metakey": {"S": key}, **{name: {"S": text} for name, text in texts.items()}}


ODD: Item = {
    "metakey": {"S": "<script>"},
    "n": {"N": "1.5"},
    "yes": {"BOOL": True},
    "set": {"SS": ["a", "b"]},
    "nothing": {"NULL": True},
    "list": {"L": [{"M": {"x": {"S": "y"}}}]},
    "#n0 = :v0": {"S": "' OR 1=1 --"},
}


async def test_creates_once(open_it: OpenTable) -> None:
    """A record is added when there is none, and otherwise left as it is."""
    async with open_it() as it:
        assert await it.get("<script>") is None
        assert await it.create(ODD)
        assert not await it.create(item("<script>", other="x"))
        assert await it.get("<script>") == ODD


async def test_replaces_what_was_seen(open_it: OpenTable) -> None:
    """Attributes are changed, added and removed; of another state nothing is changed."""
    async with open_it() as it:
        await it.create(item("1", a="1", b="2", c="3"))
        old = await it.get("1")
        assert old is not None
        new = item("1", a="1", b="changed", d="new")
        assert await it.replace(old, new)
        assert await it.get("1") == new
        assert not await it.replace(old, item("1", a="lost"))
        assert await it.get("1") == new
        assert not await it.replace(item("nobody"), item("nobody", a="1"))
        assert await it.get("nobody") is None
        assert await it.replace(new, item("1"))
        assert await it.get("1") == item("1")
        assert await it.replace(item("1"), item("1"))


async def test_what_others_added_is_not_lost(open_it: OpenTable) -> None:
    """An attribute added between reading and replacing stays, or is a conflict by its name."""
    async with open_it() as it:
        await it.create(item("1", a="1"))
        old = await it.get("1")
        assert old is not None
        await it.merge(item("1", theirs="x"))
        assert not await it.replace(old, item("1", a="1", theirs="mine"))
        assert await it.replace(old, item("1", a="2"))
        assert await it.get("1") == item("1", a="2", theirs="x")


async def test_of_many_writers_one_wins(open_it: OpenTable) -> None:
    """Twenty replace the same state at once: one succeeds."""
    async with open_it() as it:
        await it.create(item("1", a="0"))
        old = item("1", a="0")
        done = await asyncio.gather(*(it.replace(old, item("1", a=f"n{n}")) for n in range(20)))
        assert done.count(True) == 1
        assert await it.get("1") == item("1", a=f"n{done.index(True)}")


async def test_merges(open_it: OpenTable) -> None:
    """Attributes are set, others left alone; it says what that was."""
    async with open_it() as it:
        assert await it.merge(item("1", a="1")) is Merged.CREATED
        assert await it.merge(item("1", a="1")) is Merged.UNCHANGED
        assert await it.merge(item("1", b="2")) is Merged.CHANGED
        assert await it.get("1") == item("1", a="1", b="2")
        assert await it.merge({**item("1"), "s": {"SS": ["b", "a"]}}) is Merged.CHANGED
        assert await it.merge({**item("1"), "s": {"SS": ["a", "b"]}}) is Merged.UNCHANGED


async def test_scans_all(open_it: OpenTable) -> None:
    """Every record once."""
    async with open_it() as it:
        await asyncio.gather(*(it.create(item(f"k{n}", text="x" * 100)) for n in range(120)))
        found = [each["metakey"]["S"] async for page in it.scan() for each in page]
    assert sorted(found) == sorted(f"k{n}" for n in range(120))


async def test_what_cannot_be_stored(open_it: OpenTable) -> None:
    """A record beyond the table's limits is refused for good."""
    async with open_it() as it:
        with pytest.raises(NotStorable):
            await it.create(item("1", a="x" * 500_000))

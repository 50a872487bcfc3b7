"""What the `TimeSeriesSink` port promises, kept by the fake and by both APIs of InfluxDB."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import pytest
from contracts.sinks import SinkUnderTest, influxdb_sink, memory_sink, write_in_parts

from ingestor.ports import Refused

NOW = 1_790_000_000_000_000_000


@pytest.fixture(
    params=[
        "memory",
        "memory-all-or-nothing",
        pytest.param("influxd_v1", marks=pytest.mark.servers),
        pytest.param("influxd_v2", marks=pytest.mark.servers),
    ]
)
def opened(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[SinkUnderTest]:
    """Each implementation in turn. The servers are shared: measurements are the test's own."""
    if request.param.startswith("memory"):
        return memory_sink(stores_neighbours=request.param == "memory")
    return influxdb_sink(request.getfixturevalue(request.param))


@pytest.fixture
async def it(
    opened: AbstractAsyncContextManager[SinkUnderTest],
) -> AsyncIterator[SinkUnderTest]:
    """The implementation, open."""
    async with opened as under_test:
        yield under_test


@pytest.fixture
def name() -> str:
    """A measurement that nobody else writes."""
    return f"m{uuid4().hex}"


async def test_stores_what_the_lines_say(it: SinkUnderTest, name: str) -> None:
    """Tags, fields of every type, and times to the nanosecond."""
    await it.sink.write(
        [
            f'{name},device=d1,site=a f=1.5,i=-7i,b=true,s="on" {NOW}'.encode(),
            f"{name},device=d2 f=-1e-3 {NOW + 1}".encode(),
            f"{name} f=0 {NOW + 2}".encode(),
        ]
    )

    assert await it.rows(name) == [
        {"time": NOW, "device": "d1", "site": "a", "f": 1.5, "i": -7, "b": True, "s": "on"},
        {"time": NOW + 1, "device": "d2", "f": -0.001},
        {"time": NOW + 2, "f": 0},
    ]


async def test_the_same_line_twice_is_stored_once(it: SinkUnderTest, name: str) -> None:
    """In one write and in another: a redelivery overwrites itself."""
    line = f"{name},device=d1 v=1.5 {NOW}".encode()
    await it.sink.write([line, line])
    await it.sink.write([line])

    assert await it.rows(name) == [{"time": NOW, "device": "d1", "v": 1.5}]


async def test_a_point_is_its_series_and_time(it: SinkUnderTest, name: str) -> None:
    """A later write replaces fields of the same name, keeps others, and tags have no order."""
    await it.sink.write([f"{name},a=1,b=2 v=1,w=1 {NOW}".encode()])
    await it.sink.write([f"{name},b=2,a=1 v=2 {NOW}".encode()])

    assert await it.rows(name) == [{"time": NOW, "a": "1", "b": "2", "v": 2, "w": 1}]


async def test_stores_names_and_values_of_any_script(it: SinkUnderTest, name: str) -> None:
    """Escaped separators and characters beyond ASCII come back as they were."""
    line = rf'{name},Ort\,\ Raum=K\=öln\ 温度,🌡=\\o/ größe\ 1="„ja“ \"\\ 😀" {NOW}'
    await it.sink.write([line.encode()])

    assert await it.rows(name) == [
        {"time": NOW, "Ort, Raum": "K=öln 温度", "🌡": r"\\o/", "größe 1": '„ja“ "\\ 😀'}
    ]


async def test_stores_many_lines_at_once(it: SinkUnderTest, name: str) -> None:
    """Ten thousand lines are one write, and all of them are there when it returns."""
    count = 10_000
    await it.sink.write(
        [f"{name},device=d{i % 20} v={i}.5 {NOW + i}".encode() for i in range(count)]
    )

    rows = await it.rows(name)
    assert [row["v"] for row in rows] == [i + 0.5 for i in range(count)]


async def test_stores_times_before_the_epoch(it: SinkUnderTest, name: str) -> None:
    """Whether such a time makes sense is decided before."""
    await it.sink.write([f"{name} v=1 -1".encode()])

    assert await it.rows(name) == [{"time": -1, "v": 1}]


async def test_writes_may_run_side_by_side(it: SinkUnderTest, name: str) -> None:
    """More of them than there are connections."""
    bodies = [
        [f"{name},writer=w{writer} v={i} {NOW + 100 * writer + i}".encode() for i in range(100)]
        for writer in range(12)
    ]
    async with asyncio.TaskGroup() as group:
        for body in bodies:
            group.create_task(it.sink.write(body), name="test-writer")

    assert [row["time"] for row in await it.rows(name)] == [NOW + i for i in range(1200)]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("v=", id="no-value"),
        pytest.param('v="text"', id="type-conflict"),
        pytest.param('v="open', id="open-quote"),
        pytest.param("v=nan", id="nan"),
        pytest.param("v=9223372036854775808i", id="integer-too-large"),
    ],
)
async def test_a_refused_line_is_found_and_the_others_are_stored(
    it: SinkUnderTest, name: str, bad: str
) -> None:
    """Whether they were stored with the first write or not, halving ends the same."""
    await it.sink.write([f"{name} v=0 {NOW - 1}".encode()])
    lines = [f"{name} v={i} {NOW + i}".encode() for i in range(8)]
    lines[5] = f"{name} {bad} {NOW + 5}".encode()
    with pytest.raises(Refused):
        await it.sink.write(lines)
    guilty = await write_in_parts(it.sink, lines)

    assert list(guilty) == [5]
    assert [row["v"] for row in await it.rows(name)] == [0, 0, 1, 2, 3, 4, 6, 7]


async def test_thirteen_bad_lines_among_five_hundred(it: SinkUnderTest, name: str) -> None:
    """Of both kinds, at both ends, side by side: the good are stored, each bad one is explained."""
    bad = {0, 1, 2, 77, 131, 200, 201, 255, 256, 300, 444, 498, 499}
    await it.sink.write([f"{name} v=0 {NOW - 1}".encode()])
    refused = ["=", '"text"']
    values = [refused[i % 2] if i in bad else i for i in range(500)]
    lines = [f"{name} v={value} {NOW + i}".encode() for i, value in enumerate(values)]
    guilty = await write_in_parts(it.sink, lines)

    assert set(guilty) == bad
    assert all(0 < len(detail) <= 300 for detail in guilty.values())
    assert [row["time"] for row in await it.rows(name)] == [
        NOW + i for i in range(-1, 500) if i not in bad
    ]


async def test_a_refusal_leaves_the_sink_usable(it: SinkUnderTest, name: str) -> None:
    """Nothing of it is remembered."""
    with pytest.raises(Refused) as refused:
        await it.sink.write([f"{name} v= {NOW}".encode()])
    await it.sink.write([f"{name} v=1 {NOW}".encode()])

    assert not refused.value.too_large
    assert await it.rows(name) == [{"time": NOW, "v": 1}]


async def test_ping_finds_the_sink_ready(it: SinkUnderTest) -> None:
    """It may be asked often, and while writes are going on."""
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(it.sink.ping(), name="test-ping")


async def test_a_cancelled_write_leaves_the_sink_usable(it: SinkUnderTest, name: str) -> None:
    """Its lines are stored or not; the next write is."""
    line = f"{name} v=1 {NOW}".encode()
    task = asyncio.create_task(it.sink.write([line]), name="test-writer")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    await it.sink.write([line])

    assert await it.rows(name) == [{"time": NOW, "v": 1}]

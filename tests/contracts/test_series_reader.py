"""What the `SeriesReader` port promises, kept by the fake and by InfluxDB."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from contracts.sinks import open_sink

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.influxdb.reader import basic, open_reader, token
from ingestor.adapters.memory import MemorySeries
from ingestor.console_ports import Point, SeriesReader, Span
from ingestor.core.prefix import escape_measurement, escape_name
from ingestor.ports import Unavailable
from loadtest.servers import Influxd

T0 = 1_700_000_000 * 10**9
MINUTE = 60 * 10**9
OWN = "ingestor"
HOSTILE = [
    "<script>alert(1)</script>",
    "it's",
    'say "x"',
    "a' OR 'a' = 'a",
    'x" OR "metakey" = "k1',
    "/.*/",
    "$v0",
    "a;DROP MEASUREMENT pressure",
    "back\\slash x",
    "größe 🌡",
    "a,b=c d",
    "-- comment",
]


@dataclass(slots=True, frozen=True)
class ReaderUnderTest:
    """A reader, and how to store lines that it then reads."""

    reader: SeriesReader
    write: Callable[[Sequence[str]], Awaitable[None]]


OpenReader = Callable[[], AbstractAsyncContextManager[ReaderUnderTest]]


@asynccontextmanager
async def memory_reader() -> AsyncIterator[ReaderUnderTest]:
    """The shipped fake."""
    reader = MemorySeries(own=frozenset({OWN}))

    async def write(lines: Sequence[str]) -> None:
        reader.write(line.encode() for line in lines)

    yield ReaderUnderTest(reader, write)


def influxdb_reader(server: Influxd) -> OpenReader:
    """The adapter, in a database of its own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[ReaderUnderTest]:
        database = f"db{uuid4().hex[:8]}"
        await server.administrate(f"CREATE DATABASE {database}")
        await server.administrate(f"GRANT ALL ON {database} TO {server.username}")
        sink = open_sink(server, database=database, bucket=f"{database}/autogen")
        by_token = server.api == "v2"
        header = token(server.token) if by_token else basic(server.username, server.password)
        reading = open_reader(
            url=server.url,
            database=database,
            retention_policy="autogen" if by_token else None,
            authorization=header,
            own=frozenset({OWN}),
            clock=SystemClock(),
        )
        async with sink as writer, reading as reader:

            async def write(lines: Sequence[str]) -> None:
                await writer.write([line.encode() for line in lines])

            yield ReaderUnderTest(reader, write)

    return opened


@pytest.fixture(
    params=[
        "memory",
        pytest.param("influxd_v1", marks=pytest.mark.servers),
        pytest.param("influxd_v2", marks=pytest.mark.servers),
    ]
)
def open_it(request: pytest.FixtureRequest) -> OpenReader:
    """Makes readers of each implementation in turn."""
    if request.param == "memory":
        return memory_reader
    return influxdb_reader(request.getfixturevalue(request.param))


def line(key: str, minutes: float, *, measurement: str = "pressure", **fields: float | str) -> str:
    """A line of a device at so many minutes after T0."""
    series = f"{escape_measurement(measurement)},metakey={escape_name(key)},sensorID=s"
    texts = {k: f'"{v}"' if isinstance(v, str) else str(v) for k, v in fields.items()}
    values = ",".join(f"{name}={text}" for name, text in texts.items())
    return f"{series} {values} {T0 + round(minutes * MINUTE)}"


async def test_last_points_by_group(open_it: OpenReader) -> None:
    """The last point of each chosen device; floats stay floats."""
    async with open_it() as it:
        await it.write(
            [
                line("k1", 0, value=1.0, state="on"),
                line("k1", 5, value=10.0),
                line("k2", 1, value=2.0),
                line("k3", 1, value=3.0),
                line("k1", 2, measurement="other one", count=7.5),
                "ingestor,task=t stored=1 " + str(T0),
            ]
        )
        where = [{"metakey": "k1"}, {"metakey": "k2"}, {"metakey": "nobody"}]
        found = await it.reader.last(where=where, group=["metakey"], since_ns=T0)
        late = await it.reader.last(where=where, group=["metakey"], since_ns=T0 + 2 * MINUTE)
    key = {(each.measurement, each.tags["metakey"]): each for each in found}
    assert set(key) == {("pressure", "k1"), ("pressure", "k2"), ("other one", "k1")}
    assert key["pressure", "k1"] == Point(
        "pressure", {"metakey": "k1"}, T0 + 5 * MINUTE, {"value": 10.0}
    )
    assert isinstance(key["pressure", "k1"].fields["value"], float)
    assert {(each.measurement, each.tags["metakey"]) for each in late} == {
        ("pressure", "k1"),
        ("other one", "k1"),
    }


async def test_windows(open_it: OpenReader) -> None:
    """Numeric fields in even steps, None where nothing is, the end excluded."""
    span = Span(T0 // MINUTE * MINUTE, MINUTE, 3)
    offset = (T0 - span.begin_ns) / MINUTE
    async with open_it() as it:
        await it.write(
            [
                line("k1", 0 - offset, value=1.0, text="no number"),
                line("k1", 0.5 - offset, value=3.0),
                line("k1", 2 - offset, value=5.0),
                line("k1", 3 - offset, value=99.0),
                line("k2", 1 - offset, other=7.0),
            ]
        )
        windows = await it.reader.windows(
            span, functions=("mean", "min", "max"), group=["metakey"], where=[]
        )
        own = await it.reader.windows(span, functions=("last",), measurement="nothing here")
    by_key = {each.tags["metakey"]: each.values for each in windows}
    assert by_key == {
        "k1": {
            ("mean", "value"): [2.0, None, 5.0],
            ("min", "value"): [1.0, None, 5.0],
            ("max", "value"): [3.0, None, 5.0],
        },
        "k2": {
            ("mean", "other"): [None, 7.0, None],
            ("min", "other"): [None, 7.0, None],
            ("max", "other"): [None, 7.0, None],
        },
    }
    assert own == []


async def test_points_in_order_up_to_a_limit(open_it: OpenReader) -> None:
    """The first points of a range, by time."""
    async with open_it() as it:
        await it.write([line("k1", n, value=float(n)) for n in (3, 1, 2, 4)])
        found = await it.reader.points(
            measurement="pressure",
            where=[{"metakey": "k1"}],
            begin_ns=T0 + MINUTE,
            end_ns=T0 + 4 * MINUTE,
            limit=2,
        )
    assert [each.fields["value"] for each in found] == [1.0, 2.0]
    assert [each.time_ns for each in found] == [T0 + MINUTE, T0 + 2 * MINUTE]


async def test_who_was_seen(open_it: OpenReader) -> None:
    """Every tag value with a point since then, and when; empty where a series has no such tag."""
    async with open_it() as it:
        await it.write(
            [
                line("old", 0, value=1.0),
                line("k1", 5, value=1.0),
                line("k2", 5, text="only text"),
                f"pressure,sensorID=s value=1 {T0 + 6 * MINUTE}",
                f"ingestor,metakey=own stored=1 {T0 + 6 * MINUTE}",
            ]
        )
        found = await it.reader.seen(["metakey"], since_ns=T0 + MINUTE, limit=100)
        some = await it.reader.seen(["metakey"], since_ns=T0 + MINUTE, limit=1)
    assert found == {
        ("k1",): T0 + 5 * MINUTE,
        ("k2",): T0 + 5 * MINUTE,
        ("",): T0 + 6 * MINUTE,
    }
    assert len(some) == 1


async def test_fields_and_their_types(open_it: OpenReader) -> None:
    """Every field of every measurement."""
    async with open_it() as it:
        await it.write([line("k1", 0, value=1.0, text="x"), "m2 n=1i,b=true " + str(T0)])
        found = await it.reader.fields()
    assert found == {
        "pressure": {"value": "float", "text": "string"},
        "m2": {"n": "integer", "b": "boolean"},
    }


@pytest.mark.parametrize("key", HOSTILE)
async def test_any_text_is_a_name(open_it: OpenReader, key: str) -> None:
    """Names that look like code are names: they find what has them, and nothing else."""
    measurement = key.replace("/", "_") if key.startswith("/") else key
    async with open_it() as it:
        await it.write(
            [
                line("k1", 0, value=1.0),
                line(key, 1, value=2.0),
                f"{escape_measurement(measurement)},metakey=k9 {escape_name(key)}=5 {T0}",
            ]
        )
        found = await it.reader.last(
            where=[{"metakey": key}], group=["metakey"], since_ns=T0 - MINUTE
        )
        named = await it.reader.points(
            measurement=measurement,
            where=[{"metakey": "k9"}],
            begin_ns=T0,
            end_ns=T0 + 1,
            limit=9,
        )
        by_tag = await it.reader.last(where=[{key: "x"}], group=[key], since_ns=T0)
        everybody = await it.reader.seen(["metakey"], since_ns=T0, limit=99)
    assert [(each.tags["metakey"], each.fields) for each in found] == [(key, {"value": 2.0})]
    assert [each.fields for each in named] == [{key: 5.0}]
    assert by_tag == []
    assert set(everybody) == {("k1",), (key,), ("k9",)}


@pytest.mark.servers
async def test_wrong_credentials_are_told_with_a_remedy(influxd_v1: Influxd) -> None:
    """A server that does not let us read is `Unavailable`, and the text names the setting."""
    reading = open_reader(
        url=influxd_v1.url,
        database=influxd_v1.database,
        retention_policy=None,
        authorization=basic("nobody", "wrong"),
        own=frozenset(),
        clock=SystemClock(),
    )
    async with reading as reader:
        with pytest.raises(Unavailable, match="INGESTOR_CONSOLE_INFLUXDB_TOKEN"):
            await reader.fields()

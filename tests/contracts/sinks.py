"""Each implementation of the `TimeSeriesSink` port, with what a test needs on its other side."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from operator import itemgetter

from ingestor.adapters.influxdb import InfluxDbSink, open_influxdb_v1, open_influxdb_v2
from ingestor.adapters.memory import MemorySink
from ingestor.core.bisect import Bisection
from ingestor.ports import Refused, TimeSeriesSink
from loadtest.servers import Influxd

TIMEOUT_SECONDS = 30.0

Row = dict[str, object]
"""One stored point: `time` in nanoseconds, tags and fields by name; what is absent is left out."""


@dataclass(slots=True, frozen=True)
class SinkUnderTest:
    """A sink, and how to read all that it stored of one measurement, by time."""

    sink: TimeSeriesSink
    rows: Callable[[str], Awaitable[list[Row]]]


@asynccontextmanager
async def memory_sink(*, stores_neighbours: bool) -> AsyncIterator[SinkUnderTest]:
    """The shipped fake."""
    sink = MemorySink(stores_neighbours=stores_neighbours)

    async def rows(measurement: str) -> list[Row]:
        found: list[Row] = []
        for (series, time_ns), fields in sink.points.items():
            name, *tags = re.split(r"(?<!\\),", series)
            if name == measurement:
                pairs = (re.split(r"(?<!\\)=", tag) for tag in tags)
                tagged = {_unescape(key): _unescape(value) for key, value in pairs}
                found.append({"time": time_ns, **tagged, **fields})
        return sorted(found, key=itemgetter("time"))

    yield SinkUnderTest(sink, rows)


@asynccontextmanager
async def influxdb_sink(server: Influxd) -> AsyncIterator[SinkUnderTest]:
    """The adapter for the API that the server's `environment()` names."""

    async def rows(measurement: str) -> list[Row]:
        found = await server.query_influxql(f'SELECT * FROM "{measurement}"')  # noqa: S608 - no SQL
        return [
            {key: value for key, value in row.items() if value not in {None, ""}} for row in found
        ]

    async with open_sink(server) as sink:
        yield SinkUnderTest(sink, rows)


def open_sink(
    server: Influxd,
    *,
    database: str | None = None,
    bucket: str | None = None,
    secret: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> AbstractAsyncContextManager[InfluxDbSink]:
    """A sink for the server, with its own names and secrets unless others are given."""
    if server.api == "v2":
        return open_influxdb_v2(
            url=server.url,
            org=server.org,
            bucket=bucket or server.bucket,
            token=secret or server.token,
            timeout_seconds=timeout_seconds,
            connections=4,
        )
    return open_influxdb_v1(
        url=server.url,
        database=database or server.database,
        username=server.username,
        password=secret or server.password,
        timeout_seconds=timeout_seconds,
        connections=4,
    )


async def write_in_parts(sink: TimeSeriesSink, lines: Sequence[bytes]) -> dict[int, str]:
    """Store all lines that can be stored; returns the others, as the pipeline finds them."""
    bisection = Bisection(len(lines))
    while (span := bisection.next_range()) is not None:
        try:
            await sink.write(lines[slice(*span)])
        except Refused as error:
            bisection.refused(span, error.detail, too_large=error.too_large)
        else:
            bisection.stored(span)
    return bisection.guilty


def _unescape(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)

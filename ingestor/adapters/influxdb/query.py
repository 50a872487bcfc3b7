"""Statements of InfluxQL over HTTP, and the series of their answers as they come."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from yarl import URL

from ingestor.adapters.influxdb.series import Series, decode
from ingestor.core.influxql import Bound
from ingestor.ports import Unavailable

READ_SECONDS = 10.0
MOST_BYTES = 64 * 2**20
"""Of one answer: 100,000 groups are 15 MB."""
MOST_LINE_BYTES = 8 * 2**20
CALLS_AT_ONCE = 4
ROWS_PER_CHUNK = 2_000
LINES_PER_TURN = 200
"""Lines that are read in one turn of the event loop, while more are there: 5 ms."""


@asynccontextmanager
async def open_queries(
    url: str, parameters: Mapping[str, str], authorization: str | None
) -> AsyncIterator["Queries"]:
    """Queries of one server.

    Args:
        url: The address of InfluxDB, without a path.
        parameters: Which database, and how.
        authorization: The header; None where nobody is asked for it.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CALLS_AT_ONCE, ssl=ssl.create_default_context()),
        timeout=aiohttp.ClientTimeout(total=None, connect=3.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={} if authorization is None else {"Authorization": authorization},
        read_bufsize=MOST_LINE_BYTES // 2,  # aiohttp takes lines of up to twice as much
    ) as session:
        yield Queries(session, url, parameters)


class Queries:
    """Made by `open_queries`. `where` is the address of the server, without anything secret."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, parameters: Mapping[str, str]
    ) -> None:
        self.where = str(URL(url).origin())
        self._session = session
        self._address = f"{url.rstrip('/')}/query"
        in_parts = {"epoch": "ns", "chunked": "true", "chunk_size": str(ROWS_PER_CHUNK)}
        self._parameters = {**parameters, **in_parts}
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)

    async def ask(
        self, statements: Sequence[str], bound: Bound, *, seconds: float = READ_SECONDS
    ) -> AsyncGenerator[tuple[int, Series], None]:
        """The series of the answers, with the number of their statement; large ones in parts.

        Raises:
            Unavailable: the server does not answer in time, or not to us, or with an error.
        """
        if not statements:
            return
        form = {"q": ";".join(statements), "params": msgspec.json.encode(bound.values).decode()}
        size = 0
        try:
            async with (
                asyncio.timeout(seconds),
                self._slots,
                self._session.post(
                    self._address, params=self._parameters, data=form, allow_redirects=False
                ) as response,
            ):
                if response.status != 200:  # noqa: PLR2004 - a status
                    raise self._refused(response.status)
                lines = 0
                async for line in response.content:
                    lines += 1
                    if lines % LINES_PER_TURN == 0:
                        await asyncio.sleep(0)  # the pipeline has this loop too
                    size += len(line)
                    if size > MOST_BYTES:
                        raise Unavailable(f"{self._here} answers with more than can be read.")
                    for number, series in self._read(line):
                        yield number, series
        except TimeoutError as exc:
            raise Unavailable(f"{self._here} did not answer a query within {seconds:g} s.") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise Unavailable(f"{self._here} cannot be asked: {type(exc).__name__}.") from exc

    @property
    def _here(self) -> str:
        return f"InfluxDB at {self.where}"

    def _read(self, line: bytes) -> list[tuple[int, Series]]:
        if not line.strip():
            return []
        answer = decode(line)
        for error in (answer.error, *(each.error for each in answer.results)):
            if error is not None:
                # Its words can quote the statement, and with it names that devices made.
                raise Unavailable(f"{self._here} cannot answer a query.")
        return [(each.statement_id, series) for each in answer.results for series in each.series]

    def _refused(self, status: int) -> Unavailable:
        if status in {401, 403}:
            return Unavailable(
                f"{self._here} does not let us read: set INGESTOR_CONSOLE_INFLUXDB_TOKEN to a "
                "token that may read the bucket."
            )
        return Unavailable(f"{self._here} answers a query with status {status}.")

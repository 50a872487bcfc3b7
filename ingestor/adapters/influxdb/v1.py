"""The v1 API, `POST /write`: InfluxDB 1.x, and later ones in its manner."""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from ingestor.adapters.influxdb.sink import CONTENT_TYPE, PRECISION, InfluxDbSink


@asynccontextmanager
async def open_influxdb_v1(
    *,
    url: str,
    database: str,
    username: str | None,
    password: str | None,
    timeout_seconds: float,
    connections: int,
) -> AsyncIterator[InfluxDbSink]:
    """A sink that writes into the default retention policy of `database`.

    Without `username` nobody is named, for an InfluxDB that asks for no authentication. A write
    takes at most `timeout_seconds`, the wait for one of the `connections` included.
    """
    headers = {"Content-Type": CONTENT_TYPE}
    secrets = []
    if username is not None:
        pair = b64encode(f"{username}:{password or ''}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
        secrets = [pair, password or ""]
    address = f"{url.rstrip('/')}/write"
    parameters = {"db": database, "precision": PRECISION}
    async with aiohttp.ClientSession(
        # Of our own, because aiohttp's is made once, at its import.
        connector=aiohttp.TCPConnector(limit=connections, ssl=ssl.create_default_context()),
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
    ) as session:

        async def post(body: bytes, *, compressed: bool) -> aiohttp.ClientResponse:
            encoding = {"Content-Encoding": "gzip"} if compressed else {}
            return await session.post(
                address, params=parameters, data=body, headers=encoding, allow_redirects=False
            )

        async with InfluxDbSink(
            post, url=url, secrets=secrets, timeout_seconds=timeout_seconds
        ) as sink:
            yield sink

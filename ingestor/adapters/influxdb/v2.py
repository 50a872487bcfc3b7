"""The v2 API, `POST /api/v2/write`: InfluxDB 1.8, 2.x, 3 Core, Timestream for InfluxDB."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.service.write_service import WriteService

from ingestor.adapters.influxdb.sink import CONTENT_TYPE, PRECISION, InfluxDbSink


@asynccontextmanager
async def open_influxdb_v2(
    *,
    url: str,
    org: str,
    bucket: str,
    token: str,
    timeout_seconds: float,
    connections: int,
) -> AsyncIterator[InfluxDbSink]:
    """A sink that writes into `bucket` (`database/retention policy` on InfluxDB 1.8).

    A write takes at most `timeout_seconds`, the wait for one of the `connections` included.
    """
    async with InfluxDBClientAsync(
        url=url.rstrip("/"),
        token=token,
        org=org,
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        connection_pool_maxsize=connections,
        allow_redirects=False,  # they would be followed with the token
        client_session_kwargs={"cookie_jar": aiohttp.DummyCookieJar()},
    ) as client:
        service = WriteService(client.api_client)  # type: ignore[no-untyped-call]  # generated code

        async def post(body: bytes, *, compressed: bool) -> aiohttp.ClientResponse:
            # One level below the client's WriteApi, which compresses on the event loop, hides
            # the status and reads replies of any length.
            encoding = {"content_encoding": "gzip"} if compressed else {}
            response: aiohttp.ClientResponse = await service.post_write_async(  # type: ignore[no-untyped-call]  # generated code
                org=org,
                bucket=bucket,
                body=body,
                precision=PRECISION,
                content_type=CONTENT_TYPE,
                _preload_content=False,
                **encoding,
            )
            return response

        async with InfluxDbSink(
            post, url=url, secrets=[token], timeout_seconds=timeout_seconds
        ) as sink:
            yield sink

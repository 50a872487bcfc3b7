"""Both APIs, and a server that answers what it is told."""

from collections.abc import AsyncIterator

import pytest
from support.canned import CannedServer
from support.influxdb import Api

from ingestor.adapters.influxdb import InfluxDbSink


@pytest.fixture(params=["v1", "v2"])
def api(request: pytest.FixtureRequest) -> Api:
    """Each API in turn."""
    return Api(request.param)


@pytest.fixture
async def server() -> AsyncIterator[CannedServer]:
    """Answers 204 unless told otherwise."""
    async with CannedServer() as canned:
        yield canned


@pytest.fixture
async def sink(api: Api, server: CannedServer) -> AsyncIterator[InfluxDbSink]:
    """The adapter, writing to the server."""
    async with api.open(server.url) as opened:
        yield opened

"""The servers that tests share: started when the first test asks, one each per worker.

They are never missing quietly: a test that asks for a server that cannot be started fails with
the reason and the remedy.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from loadtest.servers import Influxd, MiniStack, Moto
from loadtest.sqs.server import Sqs
from loadtest.toolchain import FoundInfluxd, find_influxd

pytest_plugins = ["support.grouped", "support.no_skips"]

shared_server = pytest_asyncio.fixture(scope="session", loop_scope="session")


@pytest.fixture(scope="session")
def found_influxd() -> FoundInfluxd:
    """The InfluxDB of this machine."""
    return find_influxd()


@shared_server
async def influxd_v1(found_influxd: FoundInfluxd) -> AsyncIterator[Influxd]:
    """An InfluxDB whose `environment()` names its v1 API."""
    async with Influxd(found_influxd, api="v1") as server:
        yield server


@shared_server
async def influxd_v2(found_influxd: FoundInfluxd) -> AsyncIterator[Influxd]:
    """An InfluxDB whose `environment()` names its v2 API."""
    async with Influxd(found_influxd, api="v2") as server:
        yield server


@shared_server
async def ministack() -> AsyncIterator[MiniStack]:
    """MiniStack: name queues and tables after the test; `reset()` would hurt neighbours."""
    async with MiniStack() as server:
        yield server


@shared_server
async def moto() -> AsyncIterator[Moto]:
    """Moto in server mode: name queues and tables after the test."""
    async with Moto() as server:
        yield server


@shared_server
async def fast_sqs() -> AsyncIterator[Sqs]:
    """The queue of long runs: name queues after the test."""
    async with Sqs() as server:
        yield server

"""Rows 42 and 52: an InfluxDB that has its own mind about types, or moves."""

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import pytest
from faults.conftest import LONG_SECONDS, Ground
from faults.test_process import Injected
from service.conftest import reading
from support.canned import CannedServer
from support.influxdb import Api

from ingestor.ports import Unavailable
from loadtest.proxy import FaultProxy, influxdb_operation

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


async def test_f42_integers_and_floats_in_one_field(ground: Ground) -> None:
    """Numbers with and without a fraction are stored in one field, whichever came first."""
    values: dict[int, float | str] = {1: 10, 2: 10.5, 3: "11", 4: 1e3}
    async with ground.service() as service:
        for n, value in values.items():
            await ground.send(reading(n, pressure=value))
            await ground.until_stored(n)
        await ground.until_empty()
        await service.finish()

    rows = await ground.stack.influxd.query_influxql(
        'SELECT sequence, "pressureValue" FROM pressure'
    )
    assert {row["sequence"]: row["pressureValue"] for row in rows} == {
        n: float(value) for n, value in values.items()
    }
    assert await ground.stack.take_dead_letters() == []


NAME_SERVICE = """
import uvloop

class Loop(uvloop.Loop):
    async def getaddrinfo(self, host, port, **options):
        if host == "influxdb.test":
            host, port = "127.0.0.1", int(open({file!r}).read())
        return await super().getaddrinfo(host, port, **options)

uvloop.new_event_loop = Loop
"""
"""Where a name leads is the world's: a file tells it, as a port."""


async def test_f52_service_follows(ground: Ground, tmp_path: Path) -> None:
    """A service whose InfluxDB is gone from its old place writes to where its name leads now."""
    await ground.visibility(LONG_SECONDS)
    place = tmp_path / "place"

    def proxy() -> FaultProxy:
        return FaultProxy(lambda: ground.influxdb.url, influxdb_operation)

    environment = ground.environment(INFLUXDB_URL="http://influxdb.test:8086")
    async with proxy() as new, contextlib.AsyncExitStack() as place_of_before:
        old = await place_of_before.enter_async_context(proxy())
        place.write_text(old.url.rpartition(":")[2])
        async with Injected(environment, NAME_SERVICE.format(file=str(place))) as service:
            await ground.send(*(reading(n) for n in range(10)))
            await ground.until_stored(10)
            assert old.requests
            assert not new.requests

            await place_of_before.aclose()
            await ground.send(*(reading(n) for n in range(10, 20)))
            await ground.until_not_ready(service, "influxdb")
            place.write_text(new.url.rpartition(":")[2])
            await ground.until_empty()
            await service.finish()

    assert ground.site.custody.redelivered == 0
    assert await ground.sequences() == list(range(20))


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_f52_influxdb_moves(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the old place is gone and its name leads to a new one, writes go there."""
    find = socket.getaddrinfo
    async with CannedServer() as new:
        async with CannedServer() as old:
            ports = [int(server.url.rpartition(":")[2]) for server in (old, new)]

            def resolve(host: str, port: int, *args: Any, **options: Any) -> Any:
                if host != "influxdb.test":
                    return find(host, port, *args, **options)
                return find("127.0.0.1", ports[0], *args, **options)

            # The name service is the world's, not ours.
            monkeypatch.setattr(socket, "getaddrinfo", resolve)
            opening = Api(version).open("http://influxdb.test:8086", timeout_seconds=5)
            sink = await opening.__aenter__()
            await sink.write([b"m f=1 1"])
            assert len(old.requests) == 1
        try:
            ports.reverse()
            async with asyncio.timeout(40):
                while not new.requests:
                    with contextlib.suppress(Unavailable):
                        await sink.write([b"m f=1 1"])
                    await asyncio.sleep(0.2)
        finally:
            await opening.__aexit__(None, None, None)

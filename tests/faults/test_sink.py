"""Rows 42 and 52: an InfluxDB that has its own mind about types, or moves."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest
from faults.conftest import Ground
from service.conftest import reading
from support.canned import CannedServer
from support.influxdb import Api

from ingestor.ports import Unavailable

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


async def test_f42_integers_and_floats_in_one_field(ground: Ground) -> None:
    """Numbers with and without a fraction are stored in one field, whichever came first."""
    values = {1: 10, 2: 10.5, 3: "11", 4: 1e3}
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

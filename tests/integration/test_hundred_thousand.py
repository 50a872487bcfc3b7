"""The console before 100,000 devices in a real InfluxDB, each with a record."""

import time
from typing import Any

import aiohttp
import pytest
from support.console import Client, Rig

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.influxdb.reader import basic, open_reader
from ingestor.adapters.memory import MemoryRecords
from loadtest.servers import Influxd
from loadtest.toolchain import FoundInfluxd

COUNT = 100_000
AT_ONCE = 10_000

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


async def write(server: Influxd) -> None:
    """One reading of each device."""
    now = time.time_ns()
    place = {"db": server.database, "u": server.username, "p": server.password}
    async with aiohttp.ClientSession(server.url) as session:
        for begin in range(0, COUNT, AT_ONCE):
            lines = (
                f"pressure,sensorID=dev{n:06},metakey=k{n} value={n}.5 {now - n}"
                for n in range(begin, begin + AT_ONCE)
            )
            async with session.post("/write", params=place, data="\n".join(lines)) as reply:
                assert reply.status == 204


async def devices(client: Client, **query: str) -> dict[str, Any]:
    """A page; asked again while all devices are looked for, for the first time."""
    status, page, _ = await client.ask("GET", "/devices", params=query)
    while status == 503:
        status, page, _ = await client.ask("GET", "/devices", params=query)
    assert status == 200, page
    return dict(page)


async def test_every_device_can_be_found(found_influxd: FoundInfluxd) -> None:
    """Pages, a search by text and one by an attribute of the record, counts."""
    items = ({"metakey": {"S": f"k{n}"}, "maker": {"S": f"maker {n % 50}"}} for n in range(COUNT))
    rig = Rig(table=MemoryRecords(items))
    async with Influxd(found_influxd, api="v1") as server:
        await write(server)
        reading = open_reader(
            url=server.url,
            database=server.database,
            retention_policy=None,
            authorization=basic(server.username, server.password),
            own=frozenset(),
            clock=SystemClock(),
        )
        async with reading as rig.series, rig.running() as client:
            first = await devices(client, limit="50")
            middle = await devices(client, limit="50", cursor="dev049999")
            by_text = await devices(client, q="DEV077", limit="1")
            by_maker = await devices(client, where="maker=maker 7", state="reporting", limit="1")
    assert (first["total"], first["problems"]) == (COUNT, [])
    device, *others = middle["items"]
    assert (device["id"], device["attributes"]["maker"]) == ("dev050000", "maker 0")
    assert device["latest"][0]["fields"] == {"value": 50_000.5}
    assert len(others) == 49
    assert (by_text["total"], by_maker["total"]) == (1_000, COUNT // 50)

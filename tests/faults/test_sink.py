"""Rows 31, 32, 36 to 38, 40, 42 and 52: an InfluxDB that refuses, breaks, or moves."""

import asyncio
import contextlib
import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from faults.conftest import Ground
from service.conftest import reading
from support.canned import CannedServer
from support.influxdb import Api

from ingestor.ports import Unavailable
from loadtest.mapping import MAPPING
from loadtest.proxy import CountsAsStored, Drip, HalfReply, Hang, Reset, Status

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

NOW = datetime.now(UTC)
FIELDS = "[routes.fields]\n"
KINDS = {"n": "float", "t": "string", "b": "boolean", "i": "integer"}
STORED = {"n": '"text"', "t": "1", "b": '"text"', "i": '"text"'}
SENT: dict[str, Any] = {"n": 1, "t": "one", "b": True, "i": 1}

BAD = {
    "not json": "decode not-json",
    "[]": "decode ",
    reading(900, pressure="high"): "map bad-field",
    reading(901, pressure=None, viscosity=None, sequence=None): "map no-fields",
    reading(902, deviceid="a\nb"): "map bad-tag",
    reading(903, deviceid=None): "map missing-tag",
    reading(904, sensordatetime="1980-01-01"): "map time-out-of-range",
    reading(905, sensordatetime="yesterday"): "map bad-time",
    reading(906, metakey=[]): "map bad-metadata-key",
    **{
        reading(910 + n, **{name: SENT[name]}): "write field-type-conflict"
        for n, name in enumerate(KINDS)
    },
}
"""Thirteen, and how the reason of each begins."""


async def influxdb_write(ground: Ground, line: str) -> None:
    """Store a line, past the service."""
    influxd = ground.stack.influxd
    where = {"db": influxd.database, "u": influxd.username, "p": influxd.password}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{influxd.url}/write", params=where, data=line) as response,
    ):
        assert response.status == 204, await response.text()


async def test_f31_thirteen_bad_among_five_hundred(ground: Ground) -> None:
    """487 of 500 are stored, 13 are dead-lettered, each with its own reason."""
    assert len(BAD) == 13
    fields = ",".join(f"{name}={value}" for name, value in STORED.items())
    await influxdb_write(ground, f"pressure,sensorID=before {fields}")
    mapping = MAPPING.replace(
        FIELDS,
        FIELDS + "".join(f'{n} = {{ path = "{n}", type = "{k}" }}\n' for n, k in KINDS.items()),
    )
    bodies = [reading(n) for n in range(487)]
    for n, body in enumerate(BAD):
        bodies.insert(n * 37, body)

    async with ground.service(MAPPING=mapping, BATCH_SECONDS="1") as service:
        await ground.send(*bodies)
        await ground.until_empty()
        await service.finish()

    assert [n for n in await ground.sequences() if n is not None] == list(range(487))
    letters = await ground.stack.take_dead_letters()
    assert Counter(letter.body for letter in letters) == Counter(list(BAD))
    for letter in letters:
        assert letter.why.startswith(BAD[letter.body])


async def test_f32_beyond_retention(ground: Ground) -> None:
    """A reading older than InfluxDB keeps is dead-lettered as such, and not tried again."""
    await ground.administrate(
        'CREATE RETENTION POLICY "short" ON "readings" DURATION 1h REPLICATION 1 DEFAULT'
    )
    old = reading(1, sensordatetime=(NOW - timedelta(hours=6)).isoformat())
    try:
        async with ground.service() as service:
            await ground.send(old, reading(2))
            await ground.until_empty()
            await service.finish()
        [letter] = await ground.stack.take_dead_letters()
        assert letter.body == old
        assert letter.why.startswith("write beyond-retention")
        assert await ground.sequences() == [2]
    finally:
        await ground.administrate('ALTER RETENTION POLICY "autogen" ON "readings" DEFAULT')
        await ground.administrate('DROP RETENTION POLICY "short" ON "readings"')


async def test_f36_f37_replies_that_are_none(ground: Ground) -> None:
    """A success that is none, a lost, halved, slow or missing reply: each is written again."""
    faults = (
        CountsAsStored(200),
        CountsAsStored(202),
        Reset(applied=True),
        HalfReply(),
        Drip(0.05),
        Hang(applied=True),
    )
    async with ground.service(INFLUXDB_TIMEOUT_SECONDS="1", BATCH_SECONDS="0.05") as service:
        await ground.until(lambda: ground.influxdb.requests)
        for fault in faults:
            ground.influxdb.arm(fault, "write")
        sent = 0
        while ground.influxdb.armed:
            await ground.send(*(reading(sent + n) for n in range(10)))
            sent += 10
            await ground.until_stored(sent)
        await ground.until_empty()
        await service.finish()

    assert sum(ground.influxdb.applied.values()) == len(faults)
    assert await ground.sequences() == list(range(sent))
    assert ground.site.custody.redelivered == 0


async def test_f38_influxd_killed_during_writes(ground: Ground) -> None:
    """What InfluxDB has confirmed is there after its kill, and what it has not comes after it."""
    influxd = ground.stack.influxd
    async with ground.service(BATCH_SECONDS="0.05") as service:
        await ground.send(*(reading(n) for n in range(100)))
        await ground.until_stored(50)
        await influxd.kill()
        await ground.send(*(reading(n) for n in range(100, 200)))
        await influxd.restart()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(200))
    assert await ground.stack.take_dead_letters() == []


async def test_f40_disk_full(ground: Ground) -> None:
    """While influxd cannot write to its disk nothing is lost, and all is stored afterwards."""
    full = Status(
        500,
        "disk-full",
        body=b'{"error":"[shard 2] write /var/lib/influxdb/wal/readings/autogen/2/_00001.wal: '
        b'no space left on device"}',
    )
    async with ground.service() as service:
        await ground.until(lambda: ground.influxdb.requests)
        ground.influxdb.arm(full, "write", times=200)
        await ground.send(*(reading(n) for n in range(20)))
        await ground.until_not_ready(service, "no space left")
        assert await ground.sequences() == []
        ground.influxdb.disarm()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(20))
    assert await ground.stack.take_dead_letters() == []


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

"""Rows 31 to 33, 39 and 40: what a real InfluxDB refuses, and what it cannot do."""

import asyncio
import secrets
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from faults.conftest import LONG_SECONDS, Ground
from service.conftest import reading
from support.figures import figures

from loadtest.chaos.site import PatientService
from loadtest.mapping import MAPPING
from loadtest.servers import Influxd, SmallDisk, free_port
from loadtest.toolchain import FoundInfluxd

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

MOST_BODY_BYTES = 16 * 1024
FIELDS = "[routes.fields]\n"
KINDS = {"n": "float", "t": "string", "b": "boolean", "note": "string"}
STORED = 'n="text",t=1,b="text"'
SENT: dict[str, Any] = {"n": 1, "t": "one", "b": True}
MAPPED = MAPPING.replace(
    FIELDS,
    FIELDS
    + "".join(f'{name} = {{ path = "{name}", type = "{kind}" }}\n' for name, kind in KINDS.items()),
)
LONG_AGO = (datetime.now(UTC) - timedelta(hours=6)).isoformat()

BAD = {
    "not json": "decode not-json",
    "[]": "decode ",
    reading(900, pressure="high"): "map bad-field",
    reading(901, pressure=None, viscosity=None, sequence=None): "map no-fields",
    reading(902, deviceid="a\nb"): "map bad-tag",
    reading(903, deviceid=None): "map missing-tag",
    reading(904, sensordatetime="1980-01-01"): "map time-out-of-range",
    reading(905, metakey=[]): "map bad-metadata-key",
    reading(906, sensordatetime=LONG_AGO): "write beyond-retention",
    reading(907, note=secrets.token_urlsafe(30_000)): "write line-too-large",
    **{
        reading(910 + n, **{name: value}): "write field-type-conflict"
        for n, (name, value) in enumerate(SENT.items())
    },
}
"""Thirteen, and how the reason of each begins."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _strict(found_influxd: FoundInfluxd) -> AsyncIterator[Influxd]:
    settings = {"INFLUXDB_HTTP_MAX_BODY_SIZE": str(MOST_BODY_BYTES)}
    async with Influxd(found_influxd, api="v1", settings=settings) as influxd:
        await influxd.keep_an_hour()
        yield influxd


@pytest_asyncio.fixture(loop_scope="session")
async def strict(ground: Ground, _strict: Influxd) -> Ground:
    """The stack with an InfluxDB that keeps points for an hour and takes short bodies alone."""
    await _strict.clear()
    return beside(ground, _strict)


def beside(ground: Ground, influxd: Influxd) -> Ground:
    """The stack with another InfluxDB."""
    return Ground(replace(ground.stack, influxd=influxd), ground.site)


def service_of(ground: Ground, **variables: str) -> PatientService:
    """A service that writes to the InfluxDB of the ground, past the proxy."""
    changes = {f"INGESTOR_{name}": value for name, value in variables.items()}
    return PatientService(ground.site.environment() | ground.stack.influxd.environment() | changes)


async def write(influxd: Influxd, *lines: str) -> None:
    """Store lines, past the service."""
    where = {"db": influxd.database, "u": influxd.username, "p": influxd.password}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{influxd.url}/write", params=where, data="\n".join(lines)) as response,
    ):
        assert response.status == 204, await response.text()


async def test_f31_thirteen_bad_among_five_hundred(strict: Ground) -> None:
    """487 of 500 messages are stored, 13 are dead-lettered, each with its own reason."""
    assert len(BAD) == 13
    await write(strict.stack.influxd, f"pressure,sensorID=before {STORED}")
    bodies = [reading(n) for n in range(487)]
    for n, body in enumerate(BAD):
        bodies.insert(n * 37, body)

    async with service_of(strict, MAPPING=MAPPED, BATCH_SECONDS="1") as service:
        await strict.send(*bodies)
        await strict.until_empty()
        await service.finish()

    assert await strict.sequences() == list(range(487))
    letters = await strict.stack.take_dead_letters()
    assert Counter(letter.body for letter in letters) == Counter(list(BAD))
    for letter in letters:
        assert letter.why.startswith(BAD[letter.body])


async def test_f32_beyond_retention(strict: Ground) -> None:
    """A reading older than InfluxDB keeps is dead-lettered as such, counted, not tried again."""
    old = reading(1, sensordatetime=LONG_AGO)
    async with service_of(strict) as service:
        await strict.send(old, reading(2))
        await strict.until_empty()
        said = await figures(service.url)
        await service.finish()

    [letter] = await strict.stack.take_dead_letters()
    assert letter.body == old
    assert letter.why.startswith("write beyond-retention")
    assert said["ingestor_rejected_total/beyond-retention/write"] == 1
    assert said["ingestor_write_retries_total"] == 0
    assert await strict.sequences() == [2]


async def test_f33_body_too_large(strict: Ground) -> None:
    """A body beyond InfluxDB's limit is written in parts; a line beyond it is dead-lettered."""
    single = reading(100, note=secrets.token_urlsafe(30_000))
    # What is random does not get shorter by compression.
    bodies = [reading(n, note=secrets.token_urlsafe(1_000)) for n in range(40)]
    async with service_of(strict, MAPPING=MAPPED, BATCH_SECONDS="1") as service:
        await strict.send(*bodies[:20], single, *bodies[20:])
        await strict.until_empty()
        said = await figures(service.url)
        await service.finish()

    assert await strict.sequences() == list(range(40))
    [letter] = await strict.stack.take_dead_letters()
    assert letter.body == single
    assert letter.why.startswith("write line-too-large")
    assert said["ingestor_refusals_total"] >= 2
    assert said["ingestor_write_retries_total"] == 0


async def test_f39_two_servers_on_one_folder(ground: Ground, found_influxd: FoundInfluxd) -> None:
    """A second InfluxDB on the data of a running one does not start, and the first goes on."""
    first = ground.stack.influxd
    second = Influxd(found_influxd, api="v1")
    second.folder, second.port = first.folder, free_port()
    process = await asyncio.create_subprocess_exec(
        *second.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(20):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 1
    assert b"another server works in" in said
    await write(first, "pressure sequence=1i")
    assert await ground.sequences() == [1]


@pytest.mark.timeout(300)  # an InfluxDB of its own starts twice
async def test_f40_disk_full(ground: Ground, found_influxd: FoundInfluxd) -> None:
    """While influxd's disk is full messages wait; with room and a restart all are stored.

    InfluxDB 1.8 does not take up writing by itself: its log stays where an append has failed.
    """
    with SmallDisk(8) as disk:
        async with Influxd(found_influxd, api="v1", disk=disk) as influxd:
            full = beside(ground, influxd)
            await full.visibility(LONG_SECONDS)
            async with service_of(full, BATCH_LINES="10") as service:
                await full.send(*(reading(n) for n in range(50)))
                await full.until_stored(50)
                await full.until_empty()
                disk.fill()
                await full.send(*(reading(n) for n in range(50, 500)))
                await full.until_not_ready(service, "no space left on device")
                backlog = await full.stack.backlog()
                assert backlog.waiting > 0
                # Stopped first: what it acknowledges behind the failed append is lost to it.
                await influxd.stop()
                disk.free()
                await influxd.restart()
                await full.until_empty()
                await service.finish()

            assert await full.sequences() == list(range(500))
    assert await full.stack.take_dead_letters() == []
    assert ground.site.custody.redelivered == 0

"""Row 55: what must not be told is told nowhere, whatever goes wrong."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from faults.conftest import Ground, exit_status
from faults.test_function import function
from faults.test_process import Injected
from service.conftest import reading

from loadtest.chaos.site import PatientService
from loadtest.mapping import MAPPING
from loadtest.proxy import Status, Unreadable

pytestmark = [
    pytest.mark.servers,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

SECRET = "canary-of-a-secret"
PAYLOAD = "canary-of-a-payload"
TELLING_LIBRARY = f"""
from isal import igzip
def compress(body, *rest, **options):
    raise ValueError("{PAYLOAD} {SECRET} " + body.decode())
igzip.compress = compress
"""
"""A library whose exceptions quote all that they were given."""

QUOTING = f'{{"error": "partial write: {PAYLOAD} {SECRET}"}}'.encode()
"""InfluxDB quotes the line that it refuses."""
SECRETIVE = f'{{"error": "engine: no rights for {SECRET}"}}'.encode()
"""When it is not well, it speaks of itself."""


@pytest_asyncio.fixture(loop_scope="session")
async def environment(ground: Ground) -> AsyncIterator[dict[str, str]]:
    """The variables of a service all of whose secrets are canaries, and that tells all it can."""
    database, user = ground.stack.influxd.database, "canary"
    await ground.administrate(f"CREATE USER {user} WITH PASSWORD '{SECRET}'")
    await ground.administrate(f"GRANT ALL ON {database} TO {user}")
    yield ground.environment(
        INFLUXDB_USERNAME=user,
        INFLUXDB_PASSWORD=SECRET,
        INFLUXDB_TIMEOUT_SECONDS="1",
        BATCH_SECONDS="0.05",
        LOG_LEVEL="debug",
        MAPPING=MAPPING.replace('missing = "write"', 'missing = "reject"'),
    ) | {"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SECRET}
    await ground.administrate(f"DROP USER {user}")


def good(number: int) -> str:
    """A reading that can be stored."""
    return reading(number, deviceid=f"{PAYLOAD}-{number}", note=PAYLOAD * 50)


POISON = [
    PAYLOAD,
    f'{{"{PAYLOAD}": ',
    reading(900, deviceid=PAYLOAD, pressure=PAYLOAD),
    reading(901, deviceid=f"{PAYLOAD}\n"),
    reading(902, deviceid=PAYLOAD, sensordatetime=PAYLOAD),
    reading(903, deviceid=PAYLOAD, metakey=PAYLOAD),
    reading(904, deviceid=PAYLOAD, metakey={PAYLOAD: PAYLOAD}),
    # A text where InfluxDB has a number: the site has stored that it is one.
    reading(905, deviceid=PAYLOAD, alarm=1),
]


async def told(service: PatientService) -> str:
    """All that a service answers."""
    parts = []
    async with aiohttp.ClientSession(service.url) as session:
        for path in ("/metrics", "/api/status", "/ready", "/live", "/", f"/{PAYLOAD}"):
            async with session.get(path) as response:
                parts.append(await response.text())
    return "\n".join(parts)


async def run(environment: dict[str, str], *arguments: str, given: str = "") -> tuple[int, str]:
    """Exit status of a command, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ingestor", *arguments),
        env={"PATH": os.defpath} | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate(given.encode())
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_f55_service(ground: Ground, environment: dict[str, str]) -> None:
    """Not in logs, probes or figures of a service that lives through every kind of trouble."""
    answers = []
    async with PatientService(environment) as service:
        await ground.send(*(good(n) for n in range(10)), *POISON)
        await ground.until_stored(10)
        for fault, reason in (
            (Status(503, "busy", body=SECRETIVE), "503"),
            (Status(401, "refused", body=SECRETIVE), "401"),
        ):
            ground.influxdb.arm(fault, "write", times=500)
            await ground.send(good(20))
            await ground.until_not_ready(service, reason)
            answers.append(await told(service))
            ground.influxdb.disarm()
            await ground.until_empty()
        ground.influxdb.arm(Status(400, "bad", body=QUOTING), "write")
        await ground.send(good(21))
        await ground.until(lambda: not ground.influxdb.armed)
        ground.sqs.arm(Unreadable(), times=2)
        await ground.until(lambda: not ground.sqs.armed)
        ground.site.proxies["dynamodb"].arm(Unreadable(), times=2)
        await ground.send(good(30))
        await ground.until_empty()
        answers.append(await told(service))
        await service.finish()
        log = service.log.read_text()

    assert "dead-lettered" in log
    assert "batch written" in log  # it was debugging
    for text in (log, *answers):
        assert SECRET not in text
        assert PAYLOAD not in text.replace(f"/{PAYLOAD}", "")


async def test_f55_traceback(ground: Ground, environment: dict[str, str]) -> None:
    """Not in the last words of a service that a library's failure ends, whatever that says."""
    async with Injected(environment, TELLING_LIBRARY) as service:
        await ground.send(*(good(n) for n in range(30)))
        assert await exit_status(service) == 1
        log = service.log.read_text()

    assert "ValueError" in log
    assert SECRET not in log
    assert PAYLOAD not in log.replace(TELLING_LIBRARY, "")


async def test_f55_commands(ground: Ground, environment: dict[str, str]) -> None:
    """Not in what the commands and the function say, but for a payload that was asked for."""
    async with PatientService(environment) as service:
        await ground.send(*POISON)
        await ground.until_empty()
        await service.finish()
    wrong = environment | {"INGESTOR_INFLUXDB_PASSWORD": f"{SECRET}-and-more"}
    broken = environment | {"INGESTOR_POLLERS": "many", "INGESTOR_NO_SUCH": SECRET}

    said = {}
    # Not through the proxy, which keeps books of what the service receives.
    url = {"AWS_ENDPOINT_URL_SQS": ground.stack.ministack.url}
    for name, variables, status, *arguments in (
        ("check", environment, 0, "check"),
        ("check-401", wrong, 1, "check", "--json"),
        ("check-mistakes", broken, 2, "check"),
        ("run-mistakes", broken, 2, "run"),
        ("list", environment, 0, "dead-letters", "list", "--json"),
        ("replay", environment, 0, "dead-letters", "replay", "--dry-run"),
        ("purge", environment, 0, "dead-letters", "purge", "--yes"),
    ):
        code, said[name] = await run(variables | url, *arguments)
        assert code == status, said[name]
    _, said["map"] = await run(environment, "map", "-", given=POISON[0])
    async with function(environment) as invoke:
        ground.influxdb.arm(Status(503, "busy", body=SECRETIVE), "write", times=500)
        assert await invoke([good(1), *POISON], seconds=5)
        ground.influxdb.disarm()
        assert await invoke([good(1), *POISON]) == []
        said["function"] = "".join(invoke.printed)

    assert json.loads(said["list"])
    for name, text in said.items():
        assert SECRET not in text, name
        if name != "list":  # whose samples tell what is wrong with a message
            assert PAYLOAD not in text, name

"""Rows 34 to 38: an InfluxDB that asks for patience, refuses all, lies, breaks off or dies."""

import json
import time
from itertools import pairwise
from typing import NamedTuple

import pytest
from faults.conftest import LONG_SECONDS, Ground
from service.conftest import reading, until
from support.figures import figures

from loadtest.chaos.site import PatientService
from loadtest.proxy import (
    CountsAsStored,
    Drip,
    FaultProxy,
    HalfReply,
    Hang,
    Reset,
    Status,
    influxdb_operation,
)
from loadtest.proxy.http import Reply, Request

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


class Waiting(NamedTuple):
    """A reply that asks to come later, and the least seconds that nobody may come."""

    reply: Status
    seconds: float


# A date has whole seconds, so up to one of them is lost.
WAITS = [
    Waiting(Status(429, "throttled", retry_after="2"), 2),
    Waiting(Status(503, "busy", date_in_seconds=3), 2),
    Waiting(Status(503, "junk", retry_after="soon"), 0),
    Waiting(Status(429, "negative", retry_after="-5"), 0),
]


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.reply.name)
async def test_f34_retry_after(ground: Ground, wait: Waiting) -> None:
    """Nobody writes before InfluxDB said so, what it says in no known form is passed over."""
    writes: list[tuple[float, int]] = []

    def told(request: Request, reply: Reply) -> None:
        if influxdb_operation(request) == "write":
            writes.append((time.monotonic(), reply.status))

    async with FaultProxy(lambda: ground.influxdb.url, influxdb_operation, told) as proxy:
        environment = ground.site.environment() | {
            "INGESTOR_INFLUXDB_URL": proxy.url,
            "INGESTOR_WRITERS": "1",
            "INGESTOR_SELF_REPORT_SECONDS": "0",
        }
        async with PatientService(environment) as service:
            await ground.until(lambda: writes)
            proxy.arm(wait.reply, "write")
            await ground.send(reading(1))
            await ground.until_empty()
            said = await figures(service.url)
            await service.finish()

    [(asked_at, came_at)] = [
        (before, after)
        for (before, status), (after, _) in pairwise(writes)
        if status == wait.reply.status
    ]
    assert came_at - asked_at >= wait.seconds
    assert said["ingestor_write_retries_total"] == 1
    assert await ground.sequences() == [1]


class Wrong(NamedTuple):
    """A setting that makes InfluxDB refuse every write, what mends it, and what is said of it."""

    spoil: str
    mend: tuple[str, ...]
    reason: str


GRANT = 'GRANT ALL ON "readings" TO "ingestor"'
WRONG = {
    "401": Wrong(
        "SET PASSWORD FOR \"ingestor\" = 'another'",
        ("SET PASSWORD FOR \"ingestor\" = 'ingestor-password'",),
        "InfluxDB answered 401",
    ),
    "403": Wrong('REVOKE ALL ON "readings" FROM "ingestor"', (GRANT,), "InfluxDB answered 403"),
    "404": Wrong(
        'DROP DATABASE "readings"', ('CREATE DATABASE "readings"', GRANT), "InfluxDB answered 404"
    ),
    "500": Wrong(
        'DROP RETENTION POLICY "autogen" ON "readings"',
        ('CREATE RETENTION POLICY "autogen" ON "readings" DURATION 0s REPLICATION 1 DEFAULT',),
        "retention policy not found",
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_f35_wrong_settings(ground: Ground, wrong: Wrong) -> None:
    """A write that is refused for how it is asked deletes nothing, is loud, and is made good."""
    await ground.visibility(LONG_SECONDS)
    async with ground.service(SELF_REPORT_SECONDS="0") as service:
        await until(service.ready)  # before that nothing would be received at all
        await ground.administrate(wrong.spoil)
        try:
            await ground.send(*(reading(n) for n in range(20)))
            await ground.until_total(service, "ingestor_write_retries_total", 1)
            await ground.until_not_ready(service, wrong.reason)
            backlog = await ground.stack.backlog()
            assert backlog.waiting + backlog.in_flight == 20
            said = await figures(service.url)
            assert said["ingestor_deleted_total"] == 0
            assert not [name for name in said if name.startswith("ingestor_rejected_total")]
            assert said["ingestor_dependency_up/influxdb"] == 0
            logged = [json.loads(line) for line in service.log.read_text().splitlines()]
            assert any(
                line["level"] == "warning" and wrong.reason in line.get("reason", "")
                for line in logged
            )
        finally:
            for statement in wrong.mend:
                await ground.administrate(statement)
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(20))
    assert await ground.stack.take_dead_letters() == []
    assert ground.site.custody.redelivered == 0


async def test_f36_success_that_is_none(ground: Ground) -> None:
    """A 200 or 202 is no confirmation, and no body without a point is ever written."""
    await ground.visibility(LONG_SECONDS)
    bodies: list[bytes] = []

    def told(request: Request, _: Reply) -> None:
        if influxdb_operation(request) == "write":
            bodies.append(request.body)

    nothing = reading(100, pressure=None, viscosity=None, sequence=None)
    async with FaultProxy(lambda: ground.influxdb.url, influxdb_operation, told) as proxy:
        environment = ground.site.environment() | {
            "INGESTOR_INFLUXDB_URL": proxy.url,
            "INGESTOR_SELF_REPORT_SECONDS": "0",
        }
        async with PatientService(environment) as service:
            await ground.until(lambda: bodies)
            for status in (200, 202):
                proxy.arm(CountsAsStored(status), "write", times=2)
            await ground.send(nothing)
            sent = 0
            while proxy.armed:
                await ground.send(*(reading(sent + n) for n in range(10)))
                sent += 10
                await ground.until_empty()
            await service.finish()

    assert proxy.applied == {"status-200": 2, "status-202": 2}
    assert all(bodies)
    assert await ground.sequences() == list(range(sent))
    [letter] = await ground.stack.take_dead_letters()
    assert letter.body == nothing
    assert letter.why.startswith("map no-fields")
    assert ground.site.custody.redelivered == 0


async def test_f37_replies_that_break_off(ground: Ground) -> None:
    """A lost, halved, slow or missing reply: the lines are written again, and are there once."""
    await ground.visibility(LONG_SECONDS)
    faults = (
        Reset(applied=False),
        Reset(applied=True),
        HalfReply(),
        Drip(0.05),
        Drip(1.0, name="drip-too-slow"),
        Hang(applied=False),
        Hang(applied=True),
    )
    async with ground.service(
        INFLUXDB_TIMEOUT_SECONDS="2", BATCH_SECONDS="0.05", SELF_REPORT_SECONDS="0"
    ) as service:
        await ground.until(lambda: ground.influxdb.requests)
        for fault in faults:
            ground.influxdb.arm(fault, "write")
        sent = 0
        while ground.influxdb.armed:
            await ground.send(*(reading(sent + n) for n in range(10)))
            sent += 10
            await ground.until_empty()
        await service.finish()

    assert sum(ground.influxdb.applied.values()) == len(faults)
    assert await ground.sequences() == list(range(sent))
    assert await ground.stack.take_dead_letters() == []
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

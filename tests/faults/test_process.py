"""Rows 47 and 48: a task that dies, an event loop that stands still."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

import pytest
from faults.conftest import Ground, exit_status
from service.conftest import reading
from support.rig import rig

from ingestor.pipeline.pipeline import TaskLost
from loadtest.chaos.site import PatientService
from loadtest.proxy import Latency

on_servers = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

FAILING_LIBRARY = """
from isal import igzip
igzip.compress = lambda body, *rest, **options: 1 / 0
"""
"""The world's compression has a defect."""

STANDSTILLS = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(2.5))
signal.signal(signal.SIGUSR2, lambda *_: time.sleep(600))
import ingestor.app.service
ingestor.app.service.STUCK_SECONDS = 8.0
"""
"""Signals block the only thread; the watchdog waits for eight seconds instead of a minute."""


class Injected(PatientService):
    """`ingestor run` after some lines of Python."""

    def __init__(self, environment: Mapping[str, str], lines: str) -> None:
        super().__init__(environment)
        self._lines = lines

    def command(self) -> list[str]:
        """See Server."""
        return [
            sys.executable,
            "-c",
            f"{self._lines}\nfrom ingestor.cli import main\nmain()",
            "run",
        ]


class TestOnServers:
    """Through the real service."""

    pytestmark = on_servers

    async def test_f47_defect_in_a_task(self, ground: Ground) -> None:
        """A process one of whose tasks fails ends as failed; nothing of what it held is lost."""
        service = Injected(ground.environment(), FAILING_LIBRARY)
        async with service:
            await ground.send(*(reading(n) for n in range(60)))
            assert await exit_status(service) == 1
            log = service.log.read_text()
        assert "ZeroDivisionError" in log

        async with ground.service() as good:
            await ground.until_empty()
            await good.finish()
        assert await ground.sequences() == list(range(60))
        assert await ground.stack.take_dead_letters() == []

    async def test_f48_standstill(self, ground: Ground) -> None:
        """A blocked loop shows as lag and costs no lease; one that stays blocked ends."""
        await ground.visibility(9)
        service = Injected(ground.environment(INFLUXDB_TIMEOUT_SECONDS="30"), STANDSTILLS)
        async with service:
            await ground.until(lambda: ground.influxdb.requests)
            ground.influxdb.arm(Latency(4), "write", times=5)
            await ground.send(*(reading(n) for n in range(20)))
            await ground.until(lambda: ground.influxdb.under_way)
            os.kill(service.pid, signal.SIGUSR1)
            await ground.until_gauge(service, "ingestor_loop_lag_seconds", 1.0)
            await ground.until_stored(20)
            await ground.until_empty()
            assert ground.site.custody.redelivered == 0

            os.kill(service.pid, signal.SIGUSR2)
            assert await exit_status(service) == 1
            assert "Timeout" in service.log.read_text()
            await ground.send(*(reading(n) for n in range(20, 40)))
            await service.restart()
            await ground.until_empty()
            await service.finish()

        assert await ground.sequences() == list(range(40))


@pytest.mark.parametrize(
    ("part", "call"),
    [
        ("queue", "receive"),
        ("queue", "delete"),
        ("queue", "extend"),
        ("queue", "depth"),
        ("store", "fetch"),
        ("sink", "write"),
        ("sink", "ping"),
    ],
)
async def test_f47_cancelled_from_within(part: str, call: str) -> None:
    """A task that a library's stray CancelledError ends, ends the pipeline with a failure."""

    async def stray(*_: object) -> NoReturn:
        raise asyncio.CancelledError

    r = rig()
    setattr(getattr(r, part), call, stray)
    with pytest.raises(ExceptionGroup) as ended:  # noqa: PT012 - the end comes within the block
        async with r.running():
            if call == "extend":
                r.sink.hang = asyncio.Event()
            r.send_readings(5)
            await r.until(r.run.done, most_seconds=600)

    assert ended.group_contains(TaskLost, match="cancelled from within")

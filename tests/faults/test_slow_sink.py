"""Rows 18 and 49 under load: a sink that is away, and one that is too slow."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
import pytest
from faults.conftest import Ground
from service.conftest import reading

from loadtest.chaos.driver import rss_mb
from loadtest.chaos.site import PatientService
from loadtest.proxy import Latency

pytestmark = [
    pytest.mark.servers,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

GROWTH_MB = 40.0
"""More than Python's allocator keeps back at this load, less than a buffer without a bound."""


@dataclass
class Looks:
    """What was seen of a service while others did something."""

    rss_mb: list[float] = field(default_factory=list)
    window: list[int] = field(default_factory=list)
    write_queue: list[int] = field(default_factory=list)
    writes_at_once: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    async def run(self, ground: Ground, service: PatientService) -> None:
        """Look again and again until cancelled."""
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"{service.url}/api/status") as response:
                    buffers: dict[str, Any] = (await response.json())["buffers"]
                self.window.append(buffers["window_messages"]["used"])
                self.write_queue.append(buffers["write_queue"]["used"])
                self.rss_mb.append(rss_mb(service.pid))
                self.writes_at_once.append(ground.influxdb.under_way)
                self.waiting.append((await ground.stack.backlog()).waiting)
                await asyncio.sleep(0.1)


async def looking(ground: Ground, service: PatientService, work: Awaitable[None]) -> Looks:
    """Do the work, and look meanwhile."""
    looks = Looks()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(looks.run(ground, service), name="looks")
        await work
        task.cancel()
    return looks


async def send_while(ground: Ground, numbers: "count[int]", go_on: Callable[[], bool]) -> None:
    """Send ten readings at a time, twenty times a second."""
    while go_on():
        await ground.send(*(reading(next(numbers)) for _ in range(10)))
        await asyncio.sleep(0.05)


async def test_f18_sink_down_longer_than_all_receives(ground: Ground) -> None:
    """An outage longer than all receives of a message stops receiving, and burns none."""
    await ground.visibility(4)
    await ground.most_receives(2)
    async with ground.service() as service:
        await ground.send(*(reading(n) for n in range(20)))
        await ground.until_stored(20)
        ground.influxdb.down = True
        await ground.send(*(reading(n) for n in range(20, 40)))
        await ground.until_not_ready(service, "influxdb")
        # The polls under way end, and then more than two receives of four seconds each: the
        # time is what this is about.
        await asyncio.sleep(2)
        await ground.send(*(reading(n) for n in range(40, 60)))
        await asyncio.sleep(8.5)
        received = ground.site.custody.received
        ground.influxdb.down = False
        await ground.until_empty()
        await service.finish()

    assert received <= 40
    assert await ground.sequences() == list(range(60))
    assert ground.site.custody.redelivered == 0
    assert await ground.stack.take_dead_letters() == []


async def test_f18_influxd_stopped_under_load(ground: Ground) -> None:
    """Three minutes without InfluxDB, in the scale of 1 to 15, burn nothing and fill no memory.

    Visibility 2 s stands for 30 s. Messages that come meanwhile wait in the queue; none is received
    twice as often as allowed, and afterwards the backlog is drained.
    """
    await ground.visibility(2)
    await ground.most_receives(3)
    numbers = count()
    async with ground.service() as service:
        await send_while(ground, numbers, lambda: ground.site.custody.received < 200)
        await ground.stack.influxd.kill()
        until = time.monotonic() + 12
        received = ground.site.custody.received

        async def load() -> None:
            # The time is what this is about: six visibilities, where three receives are allowed.
            await send_while(ground, numbers, lambda: time.monotonic() < until)

        try:
            looks = await looking(ground, service, load())
            taken_meanwhile = ground.site.custody.received - received
        finally:
            await ground.stack.influxd.restart()
        await ground.until_empty()
        await service.finish()

    sent = next(numbers)
    assert await ground.stack.take_dead_letters() == []
    assert await ground.sequences() == list(range(sent))
    assert taken_meanwhile < (sent - received) / 2
    assert looks.window[-1] < sent / 2
    assert looks.waiting[-1] > 0
    assert max(looks.rss_mb) - looks.rss_mb[0] < GROWTH_MB


async def test_f49_overload(ground: Ground) -> None:
    """Ten times what the sink takes: the rest waits in the queue, not in the service.

    The writers are all at work, the window stays at its limit, memory stays flat, and when the sink
    is fast again the backlog is drained.
    """
    await ground.visibility(30)
    window, pollers, writers = 60, 4, 4
    async with ground.service(
        WINDOW_MESSAGES=str(window),
        WRITERS=str(writers),
        BATCH_LINES="10",
        BATCH_SECONDS="0.2",
        SELF_REPORT_SECONDS="0",  # one more who writes
    ) as service:
        await ground.until(lambda: ground.influxdb.requests)
        # Four writes of ten lines every two seconds: twenty messages a second.
        ground.influxdb.arm(Latency(2), "write", times=10_000)
        numbers = count()
        until = time.monotonic() + 10

        async def load() -> None:
            await send_while(ground, numbers, lambda: time.monotonic() < until)

        looks = await looking(ground, service, load())
        ground.influxdb.disarm()
        sent = next(numbers)
        await ground.until_empty()
        await service.finish()

    assert max(looks.window) <= window + 10 * pollers
    assert max(looks.window) >= window
    assert max(looks.write_queue) <= 2 * writers
    assert max(looks.writes_at_once) == writers
    assert looks.waiting[-1] > sent // 4
    assert max(looks.rss_mb) - looks.rss_mb[0] < GROWTH_MB
    assert await ground.stack.take_dead_letters() == []
    assert await ground.sequences() == list(range(sent))

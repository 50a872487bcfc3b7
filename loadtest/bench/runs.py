"""Single runs of the bench: start what is needed, let it warm up, look twice."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from loadtest.bench.measured import Measured, measure
from loadtest.bench.processes import (
    Answerer,
    Contender,
    Sampled,
    cpu_seconds,
    family,
    service,
    settings,
)
from loadtest.servers import Influxd, ServerError
from loadtest.service import Service

WARM_UP_CPU_SECONDS = 3.0
"""Compilers, caches and pools of a process have settled after this much work since its start."""
WARM_UP_SECONDS = 20.0
SAMPLE_SECONDS = 0.25
COST_SECONDS = 120.0
"""The most that measuring the mapping may take; it is done in three."""
LAG_SECONDS = 15.0
"""The service tells the lag of its last 30 s: after the warm-up, the start is not among them."""
_STATUS = aiohttp.ClientTimeout(total=5)


async def look(
    contender: Contender | Service, count: Callable[[], Awaitable[int]], seconds: float
) -> Measured:
    """Measure a running contender for so long, after it has warmed up."""
    await warm_up(contender)
    return await measure(contender, count, seconds)


async def warm_up(
    contender: Contender | Service, wanted_cpu_seconds: float = WARM_UP_CPU_SECONDS
) -> None:
    """Return when the contender has worked for a while, or does not have much to do."""
    until = time.monotonic() + WARM_UP_SECONDS
    start = cpu_seconds(family(contender.pid))
    while time.monotonic() < until:
        contender.check()
        pids = family(contender.pid)
        # A supervisor does nothing but wait; each of its workers has to settle.
        if cpu_seconds(pids) - start >= wanted_cpu_seconds * max(1, len(pids) - 1):
            return
        await asyncio.sleep(SAMPLE_SECONDS)


@asynccontextmanager
async def canned(
    *sqs_options: str, certificate: Path | None = None
) -> AsyncIterator[dict[str, Answerer]]:
    """All three answerers; TLS for SQS alone, which is where the messages come from."""
    made = {
        "sqs": Answerer("sqs", *sqs_options, certificate=certificate),
        "dynamodb": Answerer("dynamodb"),
        "influxdb": Answerer("influxdb"),
    }
    async with AsyncExitStack() as stack:
        for each in made.values():
            await stack.enter_async_context(each)
        yield made


def into_canned(answerers: Mapping[str, Answerer]) -> dict[str, str]:
    """Settings for the canned InfluxDB."""
    return {
        "INGESTOR_INFLUXDB_URL": answerers["influxdb"].url,
        "INGESTOR_INFLUXDB_ORG": "bench",
        "INGESTOR_INFLUXDB_BUCKET": "bench",
        "INGESTOR_INFLUXDB_TOKEN": "bench",
    }


def deleted(answerers: Mapping[str, Answerer]) -> Callable[[], Awaitable[int]]:
    """How many messages the queue was told to delete."""

    async def count() -> int:
        return (await answerers["sqs"].figures())["deleted"]

    return count


async def stages(seconds: float) -> dict[str, float]:
    """Microseconds of CPU per message by stage, of the service on the whole path.

    Samples of the main thread share out its user time; what the kernel and the thread that
    compresses took is counted by the system.
    """
    async with canned() as answerers:
        environment = settings(answerers, into_canned(answerers))
        async with Sampled(environment) as running:
            count = deleted(answerers)
            await warm_up(running)
            await running.seen()
            before = await count()
            await asyncio.sleep(seconds)
            seen = await running.seen()
            return shares(seen["samples"], seen["seconds"], await count() - before)


def shares(
    samples: Mapping[str, int], seconds: Mapping[str, float], messages: int
) -> dict[str, float]:
    """Microseconds per message of each stage, the largest first, then those that are counted."""
    micro = 1e6 / max(1, messages)
    taken = max(1, sum(samples.values()))
    ordered = sorted(samples.items(), key=lambda each: -each[1])
    return {
        **{stage: seconds["main"] * micro * count / taken for stage, count in ordered},
        "gzip": seconds["threads"] * micro,
        "kernel": seconds["kernel"] * micro,
    }


async def mapping_cost() -> dict[str, float]:
    """Microseconds of CPU per message for decoding, mapping and encoding, by either way."""
    command = [sys.executable, "-m", "loadtest.bench.mapping_cost"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        answer, _ = await asyncio.wait_for(process.communicate(), COST_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ServerError(f"the cost of the mapping cannot be measured: {process.returncode}")
    cost: dict[str, float] = json.loads(answer)
    return cost


async def lag(
    seconds: float, influxd: Influxd, rate: float | None
) -> tuple[Measured, dict[str, float]]:
    """The service in front of a real InfluxDB: what it did, and the lag of that.

    `rate` is messages a second, None is as fast as it can.
    """
    options = [] if rate is None else ["--rate", f"{rate:.3f}"]
    async with (
        canned(*options) as answerers,
        service(answerers, influxd.environment()) as running,
    ):
        measured = await look(running, deleted(answerers), max(seconds, LAG_SECONDS))
        return measured, (await status(running))["lag_ms"]


async def idle(seconds: float) -> Measured:
    """The service with a queue that stays empty."""
    async with (
        canned("--rate", "0") as answerers,
        service(answerers, into_canned(answerers)) as running,
    ):
        return await look(running, deleted(answerers), seconds)


async def status(running: Service) -> dict[str, Any]:
    """What the service says of itself."""
    async with (
        aiohttp.ClientSession(timeout=_STATUS) as session,
        session.get(f"{running.url}/api/status") as response,
    ):
        if not response.ok:
            raise ServerError(f"the service answered {response.status} to a question for its state")
        document: dict[str, Any] = await response.json()
        return document

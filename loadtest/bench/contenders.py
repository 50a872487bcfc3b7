"""Who is compared with whom: each as a context in which it works, warmed up, and can be paused."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from loadtest.bench.processes import (
    CREDENTIALS,
    QUEUE_URL,
    Answerer,
    Contender,
    seed_command,
    service,
)
from loadtest.bench.runs import SAMPLE_SECONDS, canned, deleted, into_canned, warm_up
from loadtest.bench.turns import Turn

NODE_CPU_SECONDS = 10.0
"""Node compiles what runs often, in several steps: from here on the handler gets no faster."""


@asynccontextmanager
async def whole_path(certificate: Path | None = None, workers: int = 1) -> AsyncIterator[Turn]:
    """The service from a full queue to an InfluxDB that takes everything."""
    several = {} if workers == 1 else {"INGESTOR_WORKERS": str(workers)}
    trust = {"AWS_CA_BUNDLE": str(certificate)} if certificate else {}
    async with (
        canned(certificate=certificate) as answerers,
        _at_work(answerers, trust | several) as turn,
    ):
        yield turn


@asynccontextmanager
async def fleet_of(devices: int) -> AsyncIterator[Turn]:
    """The whole path with a record for each of so many devices, all of them in memory."""
    size = {"INGESTOR_CACHE_SIZE": str(max(1000, devices * 5 // 4))}
    async with (
        canned("--devices", str(devices)) as answerers,
        _at_work(answerers, size) as turn,
    ):
        while (await answerers["dynamodb"].figures())["asked"] < devices:
            turn.check()
            await asyncio.sleep(SAMPLE_SECONDS)
        yield turn


@asynccontextmanager
async def _at_work(
    answerers: Mapping[str, Answerer], environment: Mapping[str, str]
) -> AsyncIterator[Turn]:
    async with service(answerers, into_canned(answerers) | dict(environment)) as running:
        await warm_up(running)
        yield Turn(running, tuple(answerers.values()), deleted(answerers))


@asynccontextmanager
async def plain_aioboto3(*, tuned: bool) -> AsyncIterator[Turn]:
    """Receive and delete alone: as fast as aioboto3 can be made, or as most people write it."""
    async with canned() as answerers:
        environment = CREDENTIALS | {
            "AWS_ENDPOINT_URL": answerers["sqs"].url,
            "BENCH_QUEUE_URL": QUEUE_URL,
            "BENCH_TUNED": str(int(tuned)),
        }
        command = [sys.executable, "-m", "loadtest.bench.plain"]
        async with Contender("plain-aioboto3", command, environment) as running:
            await warm_up(running)
            yield Turn(running, tuple(answerers.values()), deleted(answerers))


@asynccontextmanager
async def seed_handler() -> AsyncIterator[Turn]:
    """The handler of the 2020 demo, one event at a time, without the cost of being invoked."""
    async with canned() as answerers:
        environment = CREDENTIALS | {
            "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
            "DYNAMODB_URL": answerers["dynamodb"].url,
            "INFLUXDB_URL": answerers["influxdb"].url,
            "TABLE": "bench",
        }

        async def count() -> int:
            return (await answerers["influxdb"].figures())["requests"]

        async with Contender("seed-handler", seed_command(), environment) as running:
            await warm_up(running, NODE_CPU_SECONDS)
            yield Turn(running, tuple(answerers.values()), count)

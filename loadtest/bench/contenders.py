"""Who is compared with whom: each as a context in which it works, warmed up, and can be paused."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from loadtest.bench.processes import CREDENTIALS, QUEUE_URL, Contender, seed_command, service
from loadtest.bench.runs import canned, deleted, into_canned, warm_up
from loadtest.bench.turns import Turn

NODE_CPU_SECONDS = 10.0
"""Node compiles what runs often, in several steps: from here on the handler gets no faster."""


@asynccontextmanager
async def whole_path(certificate: Path | None = None, workers: int = 1) -> AsyncIterator[Turn]:
    """The service from a full queue to an InfluxDB that takes everything."""
    several = {} if workers == 1 else {"INGESTOR_WORKERS": str(workers)}
    async with canned(certificate=certificate) as answerers:
        trust = {"AWS_CA_BUNDLE": str(certificate)} if certificate else {}
        environment = into_canned(answerers) | trust | several
        async with service(answerers, environment) as running:
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

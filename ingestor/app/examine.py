"""Whether everything that the service needs can be reached and used."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import SystemRandom

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.dynamodb import TableSetupError
from ingestor.adapters.sqs import QueueSetupError
from ingestor.config import Settings
from ingestor.dependencies import open_queue, open_sink, open_store
from ingestor.ports import Unavailable


@dataclass(slots=True, frozen=True)
class Examined:
    """One dependency: whether it will do, and in a sentence what was found or what to do."""

    name: str
    ok: bool
    detail: str


async def examine(settings: Settings) -> Sequence[Examined]:
    """Look at every dependency. Nothing is received and nothing is stored."""
    return [
        found
        for look in (_examine_queue, _examine_table, _examine_influxdb)
        async for found in look(settings)
    ]


async def _examine_queue(settings: Settings) -> AsyncIterator[Examined]:
    try:
        async with open_queue(settings) as queue:
            depth = await queue.depth()
            detail = (
                f"{depth.visible} messages wait, {depth.in_flight} are being worked on; "
                f"visibility timeout {queue.visibility_timeout_seconds:g} s"
            )
            warnings = list(queue.warnings)
    except (QueueSetupError, Unavailable) as error:
        yield Examined("sqs", ok=False, detail=str(error))
        return
    yield Examined("sqs", ok=True, detail=detail)
    for warning in warnings:
        yield Examined("sqs", ok=True, detail=f"advice: {warning}")


async def _examine_table(settings: Settings) -> AsyncIterator[Examined]:
    try:
        async with open_store(settings, clock=SystemClock(), random=SystemRandom()) as store:
            await store.check()
    except (TableSetupError, Unavailable) as error:
        yield Examined("dynamodb", ok=False, detail=str(error))
        return
    yield Examined("dynamodb", ok=True, detail=f"the table {settings.metadata_table} can be read")


async def _examine_influxdb(settings: Settings) -> AsyncIterator[Examined]:
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(open_sink(settings))
        try:
            await sink.ping()
        except Unavailable as error:
            yield Examined("influxdb", ok=False, detail=str(error))
            return
    detail = f"takes writes by the {settings.influxdb_api} API"
    yield Examined("influxdb", ok=True, detail=detail)

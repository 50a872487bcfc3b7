"""The function between its invocations: one loop, open connections, a warm cache."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from random import SystemRandom
from typing import Any, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.clock import SystemClock
from ingestor.config import Settings, load
from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from ingestor.dependencies import open_queue, open_sink, open_store
from ingestor.lambda_handler.events import Delivery, read_event
from ingestor.lambda_handler.process import process
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import Limits
from ingestor.ports import Queue, TimeSeriesSink
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger

MARGIN_SECONDS = 1.0
"""Kept of the time that Lambda grants, for the answer."""


class Invocation(Protocol):
    """What this function reads of Lambda's context."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends the invocation."""
        ...


class NotStored(Exception):
    """Readings of a rule could not be stored now: Lambda is to invoke the function again."""


class Function:
    """Callable once per invocation. Opens its connections at the first, and keeps them.

    While Lambda freezes the process nothing of it runs: there is no task between invocations, and
    a connection that died meanwhile costs one retry.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._settings = load(environ)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._encoder = Encoder(parse_mapping(self._settings.mapping))
        self._metrics = Metrics(namespace="ingestor", service="ingestor-lambda")
        self._logger = Logger(service="ingestor-lambda", level=self._settings.log_level.upper())
        self._open: _Open | None = None

    def __call__(self, event: Any, invocation: Invocation) -> dict[str, Any]:
        """One invocation; the answer names the messages of a queue that are to come again.

        Raises:
            NotStored: where there is no queue to bring them back.
        """
        clock = SystemClock()
        delivery = read_event(
            event,
            invocation=invocation.aws_request_id,
            now_ms=clock.time_ns() // 1_000_000,
        )
        seconds = invocation.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
        telemetry = Telemetry(make_logger("warning", "json"))
        started = clock.monotonic()
        undone = self._runner.run(self._work(delivery, telemetry, max(0.0, seconds)))
        self._tell(delivery, telemetry, undone, clock.monotonic() - started)
        if delivery.from_queue:
            return {"batchItemFailures": [{"itemIdentifier": each} for each in undone]}
        if undone:
            raise NotStored(f"{len(undone)} of {len(delivery.messages)} readings are not stored")
        return {}

    def close(self) -> None:
        """Close the connections and the loop."""
        with self._runner:
            self._runner.run(self._stack.aclose())

    async def _work(self, delivery: Delivery, telemetry: Telemetry, seconds: float) -> list[str]:
        context = Context(SystemClock(), SystemRandom(), telemetry)
        everything = [message.message_id for message in delivery.messages]
        try:
            deadline = context.clock.monotonic() + seconds
            async with asyncio.timeout(seconds):
                opened = self._open = self._open or await _open(self._settings, self._stack)
            return await process(
                delivery,
                dead_letters=opened.queue,
                store=opened.cache,
                sink=opened.sink,
                encoder=self._encoder,
                context=context,
                limits=_limits(self._settings),
                seconds=deadline - context.clock.monotonic(),
            )
        except Exception as error:
            self._logger.exception("the event comes again", exc_info=error)
            return everything

    def _tell(
        self, delivery: Delivery, telemetry: Telemetry, undone: Sequence[str], seconds: float
    ) -> None:
        totals = telemetry.totals
        figures = {
            "Received": len(delivery.messages),
            "Stored": totals.stored,
            "Rejected": totals.rejected,
            "Later": len(undone),
            "WithoutMetadata": totals.without_metadata,
        }
        for name, count in figures.items():
            self._metrics.add_metric(name, MetricUnit.Count, count)
        self._metrics.add_metric("Seconds", MetricUnit.Seconds, seconds)
        self._metrics.flush_metrics()
        self._logger.info("event processed", extra=figures | {"down": telemetry.down})


class _Open:
    """What is kept open."""

    def __init__(self, queue: Queue, cache: CachedMetadata, sink: TimeSeriesSink) -> None:
        self.queue = queue
        self.cache = cache
        self.sink = sink


async def _open(settings: Settings, stack: AsyncExitStack) -> _Open:
    """Open all that is needed, or nothing."""
    clock, random = SystemClock(), SystemRandom()
    async with AsyncExitStack() as opening:
        queue = await opening.enter_async_context(open_queue(settings))
        store = await opening.enter_async_context(open_store(settings, clock=clock, random=random))
        sink = await opening.enter_async_context(open_sink(settings))
        await sink.ping()
        cache = CachedMetadata(
            store,
            capacity=settings.cache_size,
            ttl_seconds=settings.cache_ttl_seconds,
            negative_ttl_seconds=settings.cache_negative_ttl_seconds,
            stale_seconds=settings.cache_stale_seconds,
            clock=clock,
            random=random,
        )
        stack.push_async_exit(opening.pop_all())
        return _Open(queue, cache, _Greeted(sink))


class _Greeted:
    """A sink that was asked once whether it takes writes: not again for every event."""

    def __init__(self, sink: TimeSeriesSink) -> None:
        self._sink = sink

    async def write(self, lines: Sequence[bytes]) -> None:
        """See TimeSeriesSink."""
        await self._sink.write(lines)

    async def ping(self) -> None:
        """See TimeSeriesSink."""


def _limits(settings: Settings) -> Limits:
    return Limits(
        pollers=1,
        writers=settings.writers,
        window_messages=settings.window_messages,
        window_bytes=settings.window_bytes,
        batch_lines=settings.batch_lines,
        batch_bytes=settings.batch_bytes,
        batch_seconds=settings.batch_seconds,
    )

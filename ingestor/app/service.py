"""The service as a process: adapters, pipeline, ops server and signals."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from random import SystemRandom

import uvloop

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.clock import SystemClock
from ingestor.adapters.signals import on_end, on_signals
from ingestor.adapters.sqs import QueueSetupError, SqsQueue
from ingestor.adapters.watchdog import watchdog
from ingestor.app.collector import rare_collections
from ingestor.app.console import open_console
from ingestor.app.status import DEPENDENCIES, Status
from ingestor.config import Settings
from ingestor.core.backoff import Backoff
from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from ingestor.dependencies import open_queue, open_sink, open_store
from ingestor.ops.server import Extras, OpsServer, OpsSetupError
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import Limits, Pipeline
from ingestor.pipeline.report import Reporter
from ingestor.pipeline.waiting import within
from ingestor.ports import TimeSeriesSink, Unavailable
from ingestor.telemetry.exposition import Exposition
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger
from ingestor.telemetry.points import Points

STUCK_SECONDS = 60.0
"""After this without a turn of the event loop the process ends: it could not even stop."""


@dataclass(slots=True, frozen=True)
class Place:
    """What a worker gets from its supervisor instead of making it itself.

    The ops server takes `listening`; when the descriptor `lifeline` ends, the supervisor has gone.
    """

    listening: socket.socket
    lifeline: int


def serve(settings: Settings, place: Place | None = None) -> int:
    """Run until a signal ends it; 0 after a clean stop, 1 otherwise, with the reason logged."""
    telemetry = Telemetry(make_logger(settings.log_level, settings.log_format))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, telemetry, place))
    except asyncio.CancelledError:
        telemetry.log.warning("aborted by a second signal")
        return 1
    except (QueueSetupError, OpsSetupError) as error:
        telemetry.log.error("cannot start", reason=str(error))  # noqa: TRY400 - said for people
        return 1
    except Exception as error:
        telemetry.log.exception("failed", exc_info=error)
        return 1
    return 0


async def _serve(settings: Settings, telemetry: Telemetry, place: Place | None) -> None:
    context = Context(SystemClock(), SystemRandom(), telemetry)
    stop = asyncio.Event()
    task = asyncio.current_task()

    def abort() -> None:
        if task is not None:
            task.cancel()

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(watchdog(STUCK_SECONDS))
        stack.enter_context(on_signals(stop.set, abort))
        if place is not None:
            stack.enter_context(on_end(place.lifeline, stop.set))
        status = Status(telemetry=telemetry, clock=context.clock)
        extras = await _console(settings, telemetry, context, status, place, stack)
        ops = _ops_server(settings, telemetry, status, extras)
        await stack.enter_async_context(ops)
        telemetry.log.info("started", status_page=ops.url)
        queue = await _open_queue(settings, context, stack, stop)
        if queue is None:
            return
        for warning in queue.warnings:
            telemetry.log.warning("queue attributes", advice=warning)
        store = await stack.enter_async_context(
            open_store(settings, clock=context.clock, random=context.random)
        )
        cache = CachedMetadata(
            store,
            capacity=settings.cache_size,
            ttl_seconds=settings.cache_ttl_seconds,
            negative_ttl_seconds=settings.cache_negative_ttl_seconds,
            stale_seconds=settings.cache_stale_seconds,
            clock=context.clock,
            random=context.random,
        )
        sink = await stack.enter_async_context(open_sink(settings))
        pipeline = Pipeline(
            queue=queue,
            store=cache,
            sink=sink,
            # Two generations, each with room for a series of every device.
            encoder=Encoder(
                parse_mapping(settings.mapping), prefix_cache_size=2 * settings.cache_size
            ),
            context=context,
            limits=limits_of(settings),
            reporter=_reporter(settings, sink, context, status),
        )
        status.attach(pipeline, cache)
        stack.enter_context(rare_collections())
        await pipeline.run(stop)


async def _console(
    settings: Settings,
    telemetry: Telemetry,
    context: Context,
    status: Status,
    place: Place | None,
    stack: AsyncExitStack,
) -> Extras:
    """What the ops server has besides: the console, which for workers is their supervisor's."""
    if place is not None:
        return Extras(listening=place.listening, forget=status.forget)

    async def forget(keys: Sequence[str]) -> int:
        return status.forget(keys)

    return await stack.enter_async_context(
        open_console(settings, telemetry, context.clock, status=status.document, forget=forget)
    )


def _ops_server(
    settings: Settings, telemetry: Telemetry, status: Status, extras: Extras
) -> OpsServer:
    exposition = Exposition(telemetry, gauges=status.gauges, dependencies=DEPENDENCIES)
    return OpsServer(
        host=settings.ops_host,
        port=settings.ops_port,
        metrics=exposition.render,
        live=status.not_live,
        ready=status.not_ready,
        status=status.document,
        extras=extras,
    )


def _reporter(
    settings: Settings, sink: TimeSeriesSink, context: Context, status: Status
) -> Reporter | None:
    if not settings.self_report_seconds:
        return None
    host = socket.gethostname()
    task = settings.task_id or f"{host}-{os.getpid()}"
    points = Points(
        context.telemetry,
        gauges=status.gauges,
        dependencies=DEPENDENCIES,
        tags={"host": host, "task": task, "version": version("ingestor")},
    )
    return Reporter(
        sink=sink,
        figures=lambda time_ns, now: points.lines(time_ns=time_ns, now=now),
        every_seconds=settings.self_report_seconds,
        context=context,
    )


async def _open_queue(
    settings: Settings, context: Context, stack: AsyncExitStack, stop: asyncio.Event
) -> SqsQueue | None:
    """Open the queue, however long that takes; None when told to stop meanwhile."""
    backoff = Backoff()
    while not stop.is_set():
        try:
            queue = await stack.enter_async_context(open_queue(settings))
        except Unavailable as error:
            context.telemetry.dependency_down("sqs", error.reason)
            await within(context.clock, context.delay(backoff, error), stop.wait())
        else:
            context.telemetry.dependency_up("sqs")
            return queue
    return None


def limits_of(settings: Settings) -> Limits:
    """How much of everything the pipeline may hold and do at once."""
    return Limits(
        pollers=settings.pollers,
        # What comes ten at a time goes ten at a time: fewer would let the window fill up.
        settlers=max(4, settings.pollers),
        receive_pause_seconds=settings.receive_pause_seconds,
        writers=settings.writers,
        window_messages=settings.window_messages,
        window_bytes=settings.window_bytes,
        batch_lines=settings.batch_lines,
        batch_bytes=settings.batch_bytes,
        batch_seconds=settings.batch_seconds,
        stop_seconds=settings.stop_seconds,
        guard_messages=settings.guard_messages,
    )

"""The function between its invocations: one loop, open connections, a warm cache."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from random import SystemRandom
from typing import Any, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.secretsmanager import read_secret
from ingestor.config import Settings
from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from ingestor.lambda_handler.clock import ThawedClock
from ingestor.lambda_handler.events import Delivery, read_event
from ingestor.lambda_handler.opened import Opened, open_all
from ingestor.lambda_handler.postpone import postpone
from ingestor.lambda_handler.process import Outcome, process
from ingestor.lambda_handler.token import Configuration, ReadSecret
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import Limits
from ingestor.ports import Unavailable
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.failures import format_failure
from ingestor.telemetry.logs import make_logger

MARGIN_SECONDS = 1.0
"""Kept of the time that Lambda grants, for the answer."""
POSTPONE_SECONDS = 3.0
POSTPONED_PER_SECOND = 5_000
"""Messages that can be told to stay away in one second: time is kept for that, too."""


class Invocation(Protocol):
    """What this function reads of Lambda's context."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends the invocation."""
        ...


class Defect(Exception):
    """Something unforeseen ended the work; the log tells what, and where."""


class NotStored(Exception):
    """Readings of a rule could not be stored now: Lambda is to invoke the function again."""


class Function:
    """Callable once per invocation. Opens its connections at the first, and keeps them.

    While Lambda freezes the process nothing of it runs: there is no task between invocations, and
    a connection that died meanwhile costs one retry.

    Args:
        environ: The variables that configure it.
        read: Reads the secret that SECRET_VARIABLE names.

    Raises:
        ConfigError: with every mistake.
    """

    def __init__(self, environ: Mapping[str, str], *, read: ReadSecret = read_secret) -> None:
        self._kept = ThawedClock()
        self._configuration = Configuration(environ, read=read, clock=self._kept)
        settings = self._configuration.settings
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._encoder = Encoder(parse_mapping(settings.mapping))
        # The name that Lambda knows it by tells the figures of two environments apart.
        name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "ingestor-lambda")
        self._metrics = Metrics(namespace="ingestor", service=name)
        self._logger = Logger(service=name, level=settings.log_level.upper())
        self._opened: Opened | None = None

    def __call__(self, event: Any, invocation: Invocation) -> dict[str, Any]:
        """One invocation; the answer names the messages of a queue that are to come again.

        Raises:
            NotStored: where there is no queue to bring them back.
            Exception: a defect, or something that has to be set right, and nothing could be done.
        """
        clock = SystemClock()
        delivery = read_event(
            event,
            invocation=invocation.aws_request_id,
            now_ms=clock.time_ns() // 1_000_000,
        )
        again = sum(each.attributes.receive_count > 1 for each in delivery.messages)
        margin = MARGIN_SECONDS + again / POSTPONED_PER_SECOND
        seconds = max(0.0, invocation.get_remaining_time_in_millis() / 1000 - margin)
        telemetry = Telemetry(make_logger("warning", "json"))
        started = clock.monotonic()
        outcome = self._runner.run(self._work(delivery, telemetry, seconds))
        self._tell(delivery, telemetry, outcome, clock.monotonic() - started)
        undone = outcome.undone
        if outcome.error is not None and len(undone) == len(delivery.messages):
            if type(outcome.error).__module__.partition(".")[0] == "ingestor":
                raise outcome.error
            # Lambda prints what is raised, and foreign texts can quote a payload.
            raise Defect(type(outcome.error).__name__) from None
        if delivery.from_queue:
            return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in undone]}
        if undone:
            raise NotStored(f"{len(undone)} of {len(delivery.messages)} readings are not stored")
        return {}

    def close(self) -> None:
        """Close the connections and the loop."""
        with self._runner:
            self._runner.run(self._stack.aclose())

    async def _work(self, delivery: Delivery, telemetry: Telemetry, seconds: float) -> Outcome:
        context = Context(SystemClock(), SystemRandom(), telemetry)
        deadline = context.clock.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                opened = await self._open()
        except (Unavailable, TimeoutError) as error:
            self._configuration.distrust()
            self._logger.warning("not ready, the event comes again", extra={"reason": str(error)})
            return Outcome(delivery.messages)
        except Exception as error:  # noqa: BLE001 - it is raised when the figures are told
            return Outcome(delivery.messages, error)
        outcome = await process(
            delivery,
            dead_letters=opened.queue,
            store=opened.cache,
            sink=opened.sink,
            encoder=self._encoder,
            context=context,
            limits=_limits(self._configuration.settings),
            seconds=deadline - context.clock.monotonic(),
        )
        if "influxdb" in telemetry.down:
            self._configuration.distrust()
        if delivery.from_queue and outcome.undone:
            await postpone(opened.queue, outcome.undone, seconds=POSTPONE_SECONDS)
        return outcome

    async def _open(self) -> Opened:
        """What is open; opened anew when InfluxDB's token is another than before."""
        if await self._configuration.refresh():
            self._opened = None
            await self._stack.aclose()
        if self._opened is None:
            opening = open_all(
                self._configuration.settings, clock=self._kept, random=SystemRandom()
            )
            self._opened = await self._stack.enter_async_context(opening)
        return self._opened

    def _tell(
        self, delivery: Delivery, telemetry: Telemetry, outcome: Outcome, seconds: float
    ) -> None:
        totals = telemetry.totals
        figures = {
            "Received": len(delivery.messages),
            "Stored": totals.stored,
            "Rejected": totals.rejected,
            "Later": len(outcome.undone),
            "WithoutMetadata": totals.without_metadata,
        }
        for name, count in figures.items():
            self._metrics.add_metric(name, MetricUnit.Count, count)
        self._metrics.add_metric("Seconds", MetricUnit.Seconds, seconds)
        self._metrics.flush_metrics()
        about: dict[str, Any] = {**figures, "down": telemetry.down}
        if outcome.error is not None:
            about["error"] = format_failure(outcome.error)
        self._logger.info("event processed", extra=about)


def _limits(settings: Settings) -> Limits:
    return Limits(
        pollers=1,
        writers=settings.writers,
        window_messages=settings.window_messages,
        window_bytes=settings.window_bytes,
        batch_lines=settings.batch_lines,
        batch_bytes=settings.batch_bytes,
        batch_seconds=settings.batch_seconds,
        guard_messages=settings.guard_messages,
    )

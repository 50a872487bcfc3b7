"""The tasks of the service, how they start and how they stop."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from ingestor.core.backoff import Backoff
from ingestor.core.batch import Batcher
from ingestor.core.concurrency import Concurrency
from ingestor.core.encode import Encoder
from ingestor.core.settlement import undecided
from ingestor.pipeline.arrivals import Arrivals
from ingestor.pipeline.assemble import Assembler
from ingestor.pipeline.context import Context
from ingestor.pipeline.depth import DepthWatcher
from ingestor.pipeline.enrich import Enricher
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.leases import LeaseKeeper
from ingestor.pipeline.places import Places
from ingestor.pipeline.poison import PoisonGuard
from ingestor.pipeline.polls import Polls
from ingestor.pipeline.progress import Progress
from ingestor.pipeline.receive import Receiver
from ingestor.pipeline.report import Reporter
from ingestor.pipeline.settle import Settler
from ingestor.pipeline.waiting import within
from ingestor.pipeline.write import Writer
from ingestor.ports import BATCH, MetadataCache, Queue, TimeSeriesSink, Unavailable

HANDS = 4
"""Bursts that may wait for metadata, or for the writers, at once."""
RELEASE_SECONDS = 4.0
"""The last part of the time to stop, kept for giving back what could not be stored."""
MOST_SETTLERS = 64
"""Calls that settle at once during a stop; with those for leases the client has room for them."""

_TICK_SECONDS = 1.0


@dataclass(slots=True, frozen=True)
class Limits:
    """How much of everything; the meaning of each stands at the setting of the same name."""

    pollers: int = 4
    receive_pause_seconds: float = 0.0
    writers: int = 4
    settlers: int = 4
    window_messages: int = 20_000
    window_bytes: int = 64 * 1024 * 1024
    batch_lines: int = 5_000
    batch_bytes: int = 4 * 1024 * 1024
    batch_seconds: float = 0.5
    hold_seconds: float = 300.0
    stop_seconds: float = 25.0
    guard_messages: int = 1_000


class TaskLost(Exception):
    """A task of the pipeline ended although nobody had ended it."""


class Pipeline:
    """Receive, enrich, batch, write, settle, keep leases, stop.

    `run` returns after a clean stop. If any of its tasks fails, all are cancelled and the failure
    is raised: a half-dead service helps nobody.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        store: MetadataCache,
        sink: TimeSeriesSink,
        encoder: Encoder,
        context: Context,
        limits: Limits,
        reporter: Reporter | None = None,
    ) -> None:
        self._sink = sink
        self._reporter = reporter
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry
        self.limits = limits
        self.intake = Intake(
            context.telemetry, most_messages=limits.window_messages, most_bytes=limits.window_bytes
        )
        self.intake.expect("influxdb")
        self.progress = Progress()
        self.state = "starting"
        self.assembler = Assembler(
            Batcher(
                most_lines=limits.batch_lines,
                most_bytes=limits.batch_bytes,
                most_seconds=limits.batch_seconds,
            ),
            clock=context.clock,
            most_waiting=2 * limits.writers,
        )
        guard = PoisonGuard(self.intake, limits.guard_messages)
        self.settler = Settler(
            queue=queue,
            intake=self.intake,
            context=context,
            guard=guard,
        )
        self.enricher = Enricher(
            store=store,
            encoder=encoder,
            assembler=self.assembler,
            settler=self.settler,
            intake=self.intake,
            hold_seconds=limits.hold_seconds,
            guard=guard,
            context=context,
        )
        self.depth = DepthWatcher(queue=queue, context=context)
        self.polls = Polls(limits.pollers)
        self._arrivals = Arrivals(
            queue=queue,
            intake=self.intake,
            enricher=self.enricher,
            polls=self.polls,
            context=context,
        )
        self._receiver = Receiver(
            queue=queue,
            intake=self.intake,
            arrivals=self._arrivals,
            polls=self.polls,
            pause_seconds=limits.receive_pause_seconds,
            context=context,
        )
        self._leases = LeaseKeeper(queue=queue, intake=self.intake, context=context)
        self.writes = Concurrency(limits.writers)
        self._writer = Writer(
            batches=self.assembler.closed,
            sink=sink,
            settler=self.settler,
            intake=self.intake,
            places=Places(self.writes),
            context=context,
        )

    @property
    def gauges(self) -> Mapping[str, int]:
        """How full each buffer is, the queue's own depth included where it is known."""
        depth = self.depth.latest
        in_queue = (
            {"queue_visible": depth.visible, "queue_in_flight": depth.in_flight} if depth else {}
        )
        return {
            "window_messages": len(self.intake.held),
            "window_bytes": self.intake.held.size_bytes,
            "batch_lines": self.assembler.open_lines,
            "write_queue": self.assembler.closed.qsize(),
            "write_limit": self.writes.limit,
            "waiting_for_metadata": len(self.enricher),
            "waiting_for_settlement": len(self.settler),
            **in_queue,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain: at most `stop_seconds` later nothing is held."""
        async with asyncio.TaskGroup() as tasks:

            def start(
                name: str, work: Callable[..., Coroutine[Any, Any, None]], *arguments: object
            ) -> asyncio.Task[None]:
                return tasks.create_task(_lasting(name, work, *arguments), name=name)

            pollers = [
                start(f"poll-{n}", self._receiver.run, n) for n in range(self.limits.pollers)
            ]
            storing = [start(f"write-{n}", self._writer.run) for n in range(self.limits.writers)]
            storing += [
                start("read", self._arrivals.read),
                *(start(f"hand-on-{n}", self._arrivals.hand_on) for n in range(HANDS)),
                start("linger", self.assembler.run),
                start("metadata-retry", self.enricher.run),
                start("first-contact", self._first_contact),
            ]
            settling = [start(f"settle-{n}", self.settler.run) for n in range(self.limits.settlers)]
            settling += [
                start("leases", self._leases.run),
                start("depth", self.depth.run),
                start("tick", self._tick),
            ]
            if self._reporter is not None:
                settling.append(start("report", self._reporter.run, self.intake))
            self.state = "running"
            await stop.wait()
            # What is stored at the end, perhaps a full window at once, has to be deleted in time.
            calls = min(MOST_SETTLERS, len(self.intake.held) // BATCH)
            settling += [
                start(f"settle-{n}", self.settler.run) for n in range(self.limits.settlers, calls)
            ]
            await self._drain(pollers, storing)
            for task in settling:
                task.cancel()
        self.state = "stopped"

    async def _drain(
        self, pollers: list[asyncio.Task[None]], storing: list[asyncio.Task[None]]
    ) -> None:
        """Store and settle what is held; then give back what could not be stored in time."""
        self.state = "draining"
        self._telemetry.log.info("draining", held=len(self.intake.held))
        deadline = self._clock.monotonic() + self.limits.stop_seconds
        self.intake.stop()
        self.polls.end()
        self.settler.give_back_refused()
        left = self.limits.stop_seconds - RELEASE_SECONDS
        await within(self._clock, left, self._store_the_rest(pollers))
        for task in (*pollers, *storing):
            task.cancel()
        await asyncio.wait((*pollers, *storing))
        self._arrivals.admit()
        self.settler.give_back_refused()
        unstored = undecided(self.intake.held)
        self.settler.release(unstored, 0, why="stopped before they could be stored")
        left = deadline - self._clock.monotonic()
        if not await within(self._clock, left, self.intake.empty.wait()):
            self._telemetry.abandoned(len(self.intake.held), why="no time left to settle them")
        self._telemetry.log.info("stopped", held=len(self.intake.held))

    async def _store_the_rest(self, pollers: list[asyncio.Task[None]]) -> None:
        await asyncio.wait(pollers)
        self._arrivals.end()
        await self.assembler.flush()
        await self.intake.empty.wait()

    async def _first_contact(self) -> None:
        """Open the intake when the sink takes writes for the first time."""
        backoff = Backoff()
        while True:
            try:
                await self._sink.ping()
            except Unavailable as error:
                self.intake.block("influxdb", error.reason)
                await self._clock.sleep(self._context.delay(backoff))
            else:
                self.intake.unblock("influxdb")
                return

    async def _tick(self) -> None:
        """Once a second: take samples, and note whether anything gets done."""
        totals = self._telemetry.totals
        due = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            self._telemetry.tick(now, late_seconds=now - due)
            due = now + _TICK_SECONDS
            idle = not len(self.intake.held)
            marks = (totals.received, totals.lines, totals.deleted, totals.rejected)
            excused = idle or self.intake.blocked or bool(len(self.enricher))
            self.progress.observe(marks, excused=excused, now=now)
            await self._clock.sleep(_TICK_SECONDS)


async def _lasting(
    name: str, work: Callable[..., Coroutine[Any, Any, None]], *arguments: object
) -> None:
    """Do the work of a task; a cancellation that comes from within it is a failure.

    A library that loses its way can raise CancelledError by itself. A TaskGroup takes the task for
    cancelled then, and goes on without it.
    """
    try:
        await work(*arguments)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise TaskLost(f"the task {name} was cancelled from within") from error

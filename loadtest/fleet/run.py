"""One run of a fleet, from an empty stack to the verdict."""

import asyncio
import gc
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from uuid import uuid4

from rich.console import Console

from loadtest.bench.processes import machine
from loadtest.devices.builtin import find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.simulated import make_fleet
from loadtest.fleet.desk import Desk
from loadtest.fleet.limits import EXPLANATIONS
from loadtest.fleet.options import Options
from loadtest.fleet.pacing import Pacer
from loadtest.fleet.plan import Message, Plan
from loadtest.fleet.probe import Probe
from loadtest.fleet.profiles import Run
from loadtest.fleet.progress import Progress
from loadtest.fleet.replay import Replay
from loadtest.fleet.report import FleetReport
from loadtest.fleet.sampler import Sampler, as_dict
from loadtest.fleet.site import Site, open_site
from loadtest.fleet.view import FleetView
from loadtest.fleet.ways import Way
from loadtest.interrupts import Interrupts, interrupts
from loadtest.ledger.book import Book
from loadtest.ledger.compare import Verdict
from loadtest.ledger.readback import compare
from loadtest.stack import Backlog
from loadtest.toolchain import Api, FoundInfluxd

PATIENCE_SECONDS = 60.0
"""How long the end waits without any change in the queue."""

_POLL_SECONDS = 0.25
_NAME, _START = "name", "start_ms"
_KILOBYTE = 1_000
_MS = 1_000


async def run_fleet(
    options: Options,
    found: FoundInfluxd | None,
    api: Api,
    console: Console,
    *,
    resume: bool = False,
) -> FleetReport:
    """Run once; `found` is for ways that end in an InfluxDB of this machine.

    With `resume` the ledger is there, and `options` are those that it tells.

    Raises:
        ServerError: when a server or the service cannot be started or ends by itself, alone or in
            an exception group.
        asyncio.CancelledError: after a second signal, or one before the devices have started.
    """
    kinds = find_kinds(options.kinds)
    records = make_records(options.records, seed=options.seed)
    with interrupts() as signals, ExitStack() as closing:
        book = closing.enter_context(open_book(options, resume=resume))
        console.print("Starting servers …", highlight=False)
        async with open_site(options, kinds, records, found, api, run_name(book)) as site:
            devices = make_fleet(kinds, options.devices, records, seed=options.seed)
            gc.freeze()  # they live as long as the run: no use in looking through them again
            start_ms = int(book.asked(_START) or time.time() * _MS)
            book.tell(_START, str(start_ms))
            plan = Plan(
                devices,
                options.profiles,
                Run(options.seconds, options.seed),
                rate=options.messages_per_second,
                start_ms=start_ms,
            )
            # The servers of this machine end with the run that started them, and what they had.
            replay = Replay(book, anew=site.stack is not None) if resume else None
            return await Fleet(options, site, plan, book, console, replay).run(signals)


def open_book(options: Options, *, resume: bool) -> Book:
    """The ledger of a run: a new one, or the one that is there."""
    return Book(options.ledger) if resume else Book.create(options.ledger, options.as_dict())


def run_name(book: Book) -> str:
    """By which others know a run; it keeps it when it goes on."""
    name = book.asked(_NAME) or f"loadtest-{uuid4().hex[:12]}"
    book.tell(_NAME, name)
    return name


class Fleet:
    """One run on a site that is up."""

    def __init__(
        self,
        options: Options,
        site: Site,
        plan: Plan,
        book: Book,
        console: Console,
        replay: Replay | None,
    ) -> None:
        self._options = options
        self._site = site
        self._plan = plan
        self._book = book
        self._console = console
        self._doing = "connecting"
        self._replay = replay
        loop = asyncio.get_running_loop()
        self._desk = Desk(Progress(), loop.time)
        way = site.make_way(self._desk, plan.start_ms)
        self._probe: Probe | None = None
        if site.stack is not None:
            self._probe = Probe(site.stack.influxd, plan.devices)
            way = _Noted(way, self._probe.note, self._desk)
        self._way = way
        self._pacer = Pacer(plan, book, way, self._desk, replay)
        self._sampler = Sampler(
            plan, self._desk, self._pacer, site, self._probe, lambda: self._doing
        )
        self._view = FleetView(
            console, options, self._desk, self._sampler, lambda: self._way.connected
        )

    async def run(self, signals: Interrupts) -> FleetReport:
        """Send the plan, wait for the rest, stop the service, compare."""
        stop = asyncio.Event()
        with signals.asking(stop):
            async with asyncio.TaskGroup() as group:
                view = group.create_task(self._view.run(), name="view")
                way = group.create_task(self._way.run(), name="way")
                await self._way.ready()
                companions = [group.create_task(self._sampler.run(), name="sample"), view]
                if self._probe is not None:
                    companions.append(group.create_task(self._probe.run(), name="probe"))
                self._doing = "sending"
                await self._pacer.run(stop)
                way.cancel()
                self._doing = "waiting for the rest"
                await self._settle()
                for companion in companions:
                    companion.cancel()
        return await self._count()

    async def _settle(self) -> None:
        """Wait until the queue is empty, or nothing moves any more."""
        stack = self._site.stack
        if stack is None:
            return
        last: object = None
        patience = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < patience:
            backlog = await stack.backlog()
            if backlog == Backlog(0, 0):
                return
            present = (backlog, self._sampler.stored)
            if present != last:
                last = present
                patience = time.monotonic() + PATIENCE_SECONDS
            await asyncio.sleep(_POLL_SECONDS)

    async def _count(self) -> FleetReport:
        site = self._site
        redelivered = 0
        if site.service is not None:
            await site.service.scrape()
            redelivered = site.service.total("ingestor_redelivered_total")
            await site.service.finish()
        verdict = await self._compare()
        for example in verdict.examples if verdict else ():
            self._console.print(example, style="red", highlight=False, markup=False, soft_wrap=True)
        progress = self._desk.progress
        limit = self._sampler.limits.verdict(progress.begun)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return FleetReport(
            options=self._options,
            verdict=verdict,
            progress=progress,
            limit=limit,
            details={
                "options": self._options.as_dict(),
                "resumed_at_s": None if self._replay is None else self._replay.begins_at,
                "machine": machine(),
                "limit": {"name": limit.value, "meaning": EXPLANATIONS[limit]},
                "late_because_of": {
                    each.value: count for each, count in self._sampler.limits.late.items()
                },
                "lag_ms": as_dict(self._probe.total) if self._probe else None,
                "redelivered": redelivered,
                "generator": {
                    "max_rss_mb": round(peak / _KILOBYTE, 1),
                    "cpu_seconds": round(time.process_time(), 1),
                },
                "marks": [list(mark) for mark in self._plan.marks],
                "series": self._sampler.rows,
            },
        )

    async def _compare(self) -> Verdict | None:
        """The verdict; None where nobody stores anything."""
        stack = self._site.stack
        if stack is None:
            return None
        self._console.print("Comparing the ledger with what is stored …", highlight=False)
        letters = [(letter.body, letter.why) for letter in await stack.take_dead_letters()]
        errors = await stack.take_rule_errors()
        letters += [(body, "rule could-not-deliver") for body in errors]
        return await compare(self._book, self._plan.devices, stack.influxd, letters)


class _Noted:
    """A way whose messages somebody else is told of, too."""

    def __init__(
        self, way: Way, note: Callable[[Sequence[Message], float], None], desk: Desk
    ) -> None:
        self._way = way
        self._note = note
        self._desk = desk
        self.storm = way.storm
        self.ready = way.ready
        self.run = way.run

    @property
    def connected(self) -> int:
        """See Way."""
        return self._way.connected

    def put(self, messages: Sequence[Message]) -> None:
        """See Way."""
        self._note(messages, self._desk.now)
        self._way.put(messages)

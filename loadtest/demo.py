"""The demo: devices, rule, queue, service, InfluxDB, and the proof that nothing was lost."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from loadtest.devices import make_devices
from loadtest.fleet import Fleet
from loadtest.function import MOST_CALLS, Function
from loadtest.interrupts import Interrupts, interrupts
from loadtest.kinds import Kinds, make_mixed
from loadtest.ledger.book import Book
from loadtest.ledger.counts import Counts
from loadtest.ledger.readback import compare
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS
from loadtest.report import Report
from loadtest.service import Service
from loadtest.stack import Backlog, Stack, open_stack
from loadtest.toolchain import Api, FoundInfluxd
from loadtest.view import Progress, View
from loadtest.watch import Watch

PATIENCE_SECONDS = 30.0
"""How long the end waits without anything new being stored or deleted."""
COLD_START_SECONDS = 120.0
"""The same for a function: another process of it may be starting."""

_KILL_SECONDS = 10.0
_POLL_SECONDS = 0.1
_SCRAPE_SECONDS = 1.0


class Way(StrEnum):
    """Which way readings take from the rule to InfluxDB."""

    SERVICE = "service"
    LAMBDA = "lambda"
    LAMBDA_DIRECT = "lambda-direct"


@dataclass(slots=True, frozen=True)
class Options:
    """What to run. Without `duration_seconds` until a signal; `kill` ends the service half-way.

    With `kill` and no duration it happens ten seconds after the start. `way` is which way readings
    take, `kinds` which devices there are, `ledger` the file that has all readings.
    """

    duration_seconds: float | None
    devices: int
    kill: bool
    seed: int
    api: Api
    way: Way = Way.SERVICE
    kinds: Kinds = Kinds.SEED
    ledger: Path = Path("build/demo.sqlite")


async def run_demo(options: Options, found: FoundInfluxd, console: Console) -> Report:
    """Run the demo once.

    Raises:
        ServerError: when a server or the service cannot be started or ends by itself, alone or in
            an exception group.
        asyncio.CancelledError: after a second signal, or one before the devices have started.
    """
    with interrupts() as signals:
        console.print(f"Starting MiniStack and InfluxDB {found.version} …", highlight=False)
        async with open_stack(found, options.api) as stack:
            if options.kinds is Kinds.MIXED:
                await stack.take_all_kinds()
            console.print(f"InfluxDB ({options.api} API): {stack.influxd.url}", highlight=False)
            async with _worker(options.way, stack) as worker:
                if isinstance(worker, Service):
                    console.print(f"Console: {worker.url}/", highlight=False)
                if options.duration_seconds is None:
                    console.print("Ctrl-C ends the run and counts; twice ends it at once.")
                with Book.create(options.ledger, {"seed": options.seed}) as book:
                    return await Demo(options, stack, worker, book, console).run(signals)


def _worker(way: Way, stack: Stack) -> Service | Function:
    if way is Way.SERVICE:
        return Service(stack.environment())
    return Function(stack, direct=way is Way.LAMBDA_DIRECT)


class Demo:
    """One run on a stack and a service, or the function in its place, that are up."""

    def __init__(
        self,
        options: Options,
        stack: Stack,
        service: Service | Function,
        book: Book,
        console: Console,
    ) -> None:
        self._options = options
        self._stack = stack
        self._service = service
        self._console = console
        make = make_mixed if options.kinds is Kinds.MIXED else make_devices
        self._devices = make(options.devices, RECORDS, seed=options.seed)
        self._book = book
        self._tracker = Tracker(self._devices, book)
        self._fleet = Fleet(
            self._devices,
            stack.broker,
            self._tracker,
            # MiniStack starts a process for each call beyond those that are up.
            most_outstanding=MOST_CALLS if options.way is Way.LAMBDA_DIRECT else None,
        )
        self._backlog = Backlog(0, 0)
        self._doing = "publishing"
        self._start = self._now()

    async def run(self, signals: Interrupts) -> Report:
        """Publish, wait until all is stored, stop the service, count."""
        stop = asyncio.Event()
        with signals.asking(stop):
            async with asyncio.TaskGroup() as group:
                companions = [
                    group.create_task(coroutine, name=name)
                    for name, coroutine in (
                        ("watch", Watch(self._stack.influxd, self._tracker).run()),
                        ("scrape", self._scrape()),
                        ("supervise", self._supervise()),
                        ("view", View(self._console, self._progress).run()),
                    )
                ]
                if self._options.duration_seconds is not None:
                    companions.append(
                        group.create_task(
                            _set_after(self._options.duration_seconds, stop), name="duration"
                        )
                    )
                await self._fleet.run(stop)
                seconds = self._now() - self._start
                self._doing = "waiting for the rest"
                await self._settle()
                for companion in companions:
                    companion.cancel()
        return await self._count(seconds)

    async def _settle(self) -> None:
        """Wait until everything is seen and the queue is empty, or nothing moves any more."""
        last = (0, Backlog(0, 0))
        is_service = isinstance(self._service, Service)
        most = PATIENCE_SECONDS if is_service else COLD_START_SECONDS
        patience = self._now() + most
        while True:
            self._backlog = await self._stack.backlog()
            if self._tracker.complete and self._backlog == Backlog(0, 0):
                return
            present = (self._tracker.seen, self._backlog)
            if present != last:
                last = present
                patience = self._now() + most
            elif self._now() > patience:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _count(self, seconds: float) -> Report:
        """Stop the service, so that nothing changes any more, and compare."""
        await self._service.scrape()
        await self._service.finish()
        letters = [(each.body, each.why) for each in await self._stack.take_dead_letters()]
        verdict = await compare(self._book, self._devices, self._stack.influxd, letters)
        report = Report(
            counts=Counts.of(verdict),
            redelivered=self._service.total("ingestor_redelivered_total"),
            devices=len(self._devices),
            seconds=seconds,
            lag_p50_seconds=self._tracker.lags.quantile(0.5),
            lag_p99_seconds=self._tracker.lags.quantile(0.99),
        )
        for finding in verdict.examples:
            self._console.print(finding, style="red", highlight=False, markup=False)
        for body in await self._stack.take_rule_errors():
            self._console.print(
                f"the rule could not deliver: {body}", style="red", highlight=False, markup=False
            )
        return report

    async def _supervise(self) -> None:
        """Notice when the service ends by itself; kill it once, where that is the plan."""
        kill_at: float | None = None
        if self._options.kill:
            duration = self._options.duration_seconds
            kill_at = self._start + (_KILL_SECONDS if duration is None else duration / 2)
        while True:
            self._service.check()
            if kill_at is not None and self._now() >= kill_at:
                kill_at = None
                self._console.print("Killing the service (SIGKILL) and starting it again …")
                await self._restart()
                self._console.print("The service is back.")
            await asyncio.sleep(_POLL_SECONDS)

    async def _restart(self) -> None:
        if isinstance(self._service, Service):  # Lambda has nobody to kill
            await self._service.kill()
            await self._service.restart()

    async def _scrape(self) -> None:
        while True:
            await self._service.scrape()
            self._backlog = await self._stack.backlog()
            await asyncio.sleep(_SCRAPE_SECONDS)

    def _progress(self) -> Progress:
        return Progress(
            doing=self._doing,
            seconds=self._now() - self._start,
            sent=self._tracker.acknowledged,
            stored=self._tracker.seen,
            lag_p50_seconds=self._tracker.recent_lag_seconds(0.5),
            lag_p99_seconds=self._tracker.recent_lag_seconds(0.99),
            waiting=self._backlog.waiting,
            in_flight=self._backlog.in_flight,
            connected=self._fleet.connected,
            devices=len(self._devices),
            page=self._service.page,
        )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def _set_after(seconds: float, stop: asyncio.Event) -> None:
    await asyncio.sleep(seconds)
    stop.set()

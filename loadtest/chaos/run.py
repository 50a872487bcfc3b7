"""One chaos run, from an empty stack to the count."""

import asyncio
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from rich.console import Console

from loadtest.chaos.driver import Driver
from loadtest.chaos.load import Load
from loadtest.chaos.report import ChaosReport
from loadtest.chaos.schedule import LEASE_OUTAGE_SECONDS, fingerprint, make_schedule
from loadtest.chaos.site import CONFLICT, PatientService, Site, many_records, open_site
from loadtest.chaos.view import ChaosView, Rows
from loadtest.devices import Device
from loadtest.interrupts import interrupts
from loadtest.ledger.book import Book
from loadtest.ledger.counts import Counts
from loadtest.ledger.readback import compare
from loadtest.service import Service
from loadtest.stack import Backlog
from loadtest.toolchain import Api, FoundInfluxd

DEVICES = 500
"""Enough that the readings of one device in one second hardly ever fall on one nanosecond."""
PATIENCE_SECONDS = 120.0
"""How long the end waits without any change in the queue, or in the faults that are left."""

_BACKLOG_SECONDS = 0.25


@dataclass(slots=True, frozen=True)
class Options:
    """How many messages to send; `seed` decides what they are and what goes wrong when.

    `ledger` is the file that has all readings.
    """

    messages: int
    seed: int
    api: Api
    ledger: Path


async def run_chaos(options: Options, found: FoundInfluxd, console: Console) -> ChaosReport:
    """Run once.

    Raises:
        ServerError: when a server or the service cannot be started or ends by itself, alone or in
            an exception group.
        asyncio.CancelledError: after a signal.
    """
    with interrupts():
        console.print(f"Starting MiniStack and InfluxDB {found.version} …", highlight=False)
        records = many_records()
        async with open_site(found, options.api, records, fast_queue=True) as site:
            devices = [
                Device(number, record, seed=options.seed)
                for number, record in zip(range(DEVICES), cycle(records), strict=False)
            ]
            async with PatientService(site.environment()) as service:
                console.print(f"Console: {service.url}/", highlight=False)
                with Book.create(options.ledger, {"seed": options.seed}) as book:
                    return await Chaos(options, site, service, devices, book, console).run()


class Chaos:
    """One run on a site and a service that are up."""

    def __init__(
        self,
        options: Options,
        site: Site,
        service: Service,
        devices: list[Device],
        book: Book,
        console: Console,
    ) -> None:
        self._options = options
        self._site = site
        self._service = service
        self._devices = devices
        self._console = console
        self._book = book
        self._backlog = Backlog(0, 0)
        self._started = time.monotonic()
        self._schedule = make_schedule(options.messages, options.seed)
        self._load = Load(
            sqs=site.stack.sqs,
            queue_url=site.stack.queue_url,
            devices=devices,
            book=book,
            messages=options.messages,
            seed=options.seed,
        )
        self._driver = Driver(site, service, self._load, self._say)

    async def run(self) -> ChaosReport:
        """Send everything, let everything go wrong, wait for the rest, stop the service, count."""
        async with asyncio.TaskGroup() as group:
            companions = [
                group.create_task(coroutine, name=name)
                for name, coroutine in (
                    ("backlog", self._watch_backlog()),
                    ("supervise", self._driver.supervise()),
                    ("view", ChaosView(self._console, self._rows).run()),
                )
            ]
            load = group.create_task(self._load.run(), name="load")
            await self._driver.run(self._schedule)
            await load
            self._driver.doing = "waiting for the rest"
            await self._settle()
            for companion in companions:
                companion.cancel()
        await self._driver.finish()
        return await self._count()

    async def _settle(self) -> None:
        """Wait until the queue is empty and every fault has happened, or nothing moves any more."""
        last: tuple[Backlog | None, int] | None = None
        nudged = -1
        patience = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < patience:
            backlog, armed = await self._site.stack.backlog(), self._site.armed
            if (backlog, armed) == (Backlog(0, 0), 0):
                return
            if backlog == Backlog(0, 0):
                # The faults that are left need calls that they can befall; for calls that extend
                # leases messages have to be held for a while.
                await self._load.send_more()
                if armed == nudged:
                    await self._driver.take_away("influxdb", LEASE_OUTAGE_SECONDS)
                nudged = armed
            # The backlog of what was sent for the sake of the faults is no progress.
            present = (None if nudged >= 0 else backlog, armed)
            if present != last:
                last = present
                patience = time.monotonic() + PATIENCE_SECONDS
            await asyncio.sleep(_BACKLOG_SECONDS)

    async def _count(self) -> ChaosReport:
        """Compare what was sent with what is there; nothing changes any more."""
        seconds = time.monotonic() - self._started
        poison = self._load.poison
        letters = await self._site.stack.take_dead_letters()
        verdict = await compare(
            self._book,
            self._devices,
            self._site.stack.influxd,
            [(each.body, each.why) for each in letters if not poison.take(each.body, each.why)],
            but=CONFLICT,
        )
        for finding in (*verdict.examples, *poison.wrong_reasons[:10]):
            self._say(finding)
        driver, custody = self._driver, self._site.custody
        return ChaosReport(
            counts=Counts.of(verdict),
            poison=len(poison.expected),
            poison_missing=poison.missing,
            poison_wrong=len(poison.wrong_reasons),
            letters=len(letters),
            redelivered=custody.redelivered,
            kills=driver.kills,
            terms=driver.terms,
            outages=driver.outages,
            faults=self._site.faults,
            not_applied=self._site.armed,
            seed=self._options.seed,
            schedule=fingerprint(self._schedule),
            clean_stop_redeliveries=custody.left_behind,
            longest_stop_seconds=driver.longest_stop_seconds,
            max_rss_mb=driver.max_rss_mb,
            devices=len(self._devices),
            seconds=seconds,
        )

    async def _watch_backlog(self) -> None:
        while True:
            self._backlog = await self._site.stack.backlog()
            self._load.waiting = self._backlog.waiting
            await asyncio.sleep(_BACKLOG_SECONDS)

    def _rows(self) -> Rows:
        driver, site = self._driver, self._site
        seconds = time.monotonic() - self._started
        return (
            (f"{seconds:.0f} s", driver.doing),
            ("sent", f"{self._load.sent:,} of {self._options.messages:,}"),
            ("received", f"{site.custody.received:,}, {site.custody.redelivered:,} of them again"),
            ("backlog", f"{self._backlog.waiting:,} waiting {self._backlog.in_flight:,} in flight"),
            ("kill -9", f"{driver.kills}"),
            ("SIGTERM", f"{driver.terms}"),
            ("outages", f"{driver.outages}"),
            ("faults", f"{sum(site.faults.values()):,}, {site.armed} armed"),
            ("memory", f"at most {driver.max_rss_mb:.0f} MB"),
        )

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

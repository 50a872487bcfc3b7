"""One soak: find the peak, then keep a share of it up, looking every second."""

import asyncio
import time
from dataclasses import dataclass

from rich.console import Console

from loadtest.bench.contenders import whole_path
from loadtest.bench.processes import Answerer, family, machine, rss_bytes, service
from loadtest.bench.runs import SAMPLE_SECONDS, canned, into_canned
from loadtest.chaos.view import ChaosView, Rows
from loadtest.interrupts import interrupts
from loadtest.service import Service
from loadtest.soak.report import Sample, SoakReport

SHARE = 0.8
"""Of the peak."""

_LOOK_SECONDS = 1.0
_MS = 1000.0
_MB = 1024 * 1024


@dataclass(slots=True, frozen=True)
class Options:
    """How long to soak, and how long to look for the peak before."""

    seconds: float
    peak_seconds: float


async def run_soak(options: Options, console: Console) -> SoakReport:
    """Soak once, in front of canned answerers: what grows is the service's own.

    Raises:
        ServerError: when something cannot be started or ends by itself.
        asyncio.CancelledError: after a signal.
    """
    with interrupts():
        console.print("Looking for the peak …", highlight=False)
        async with whole_path() as alone:
            peak = (await alone.look(options.peak_seconds)).per_second
        rate = SHARE * peak
        console.print(f"{peak:,.0f} messages/s; now {rate:,.0f}", highlight=False)
        async with (
            canned("--rate", f"{rate:.3f}") as answerers,
            service(answerers, into_canned(answerers)) as running,
        ):
            console.print(f"Console: {running.url}/", highlight=False)
            samples = await _soak(running, answerers["sqs"], options.seconds, console)
    return SoakReport(peak, rate, samples, machine())


async def _soak(
    running: Service, queue: Answerer, seconds: float, console: Console
) -> list[Sample]:
    """Look every second, from the first message on."""
    while not (await queue.figures())["deleted"]:
        running.check()
        await asyncio.sleep(SAMPLE_SECONDS)
    started = time.monotonic()
    samples: list[Sample] = []

    def rows() -> Rows:
        if not samples:
            return (("soak", "starting"),)
        last = samples[-1]
        return (
            (f"{last.second:.0f} s", f"of {seconds:.0f}"),
            ("deleted", f"{last.deleted:,}"),
            ("memory", f"{last.rss_mb:.1f} MB"),
            ("lag of the event loop", f"{last.lag_ms:.1f} ms"),
        )

    async with asyncio.TaskGroup() as group:
        view = group.create_task(ChaosView(console, rows, title="soak").run(), name="view")
        while not samples or samples[-1].second < seconds:
            samples.append(await _look(running, queue, started))
            due = started + len(samples) * _LOOK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        view.cancel()
    await running.finish()
    return samples


async def _look(running: Service, queue: Answerer, started: float) -> Sample:
    running.check()
    await running.scrape()
    deleted = (await queue.figures())["deleted"]
    return Sample(
        second=time.monotonic() - started,
        rss_mb=rss_bytes(family(running.pid)) / _MB,
        lag_ms=running.gauge("ingestor_loop_lag_seconds") * _MS,
        deleted=deleted,
    )

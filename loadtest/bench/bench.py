"""The whole bench: every contender in turn, on the same machine, in the same run."""

import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from loadtest.bench import runs
from loadtest.bench.ceiling import ceiling, too_near
from loadtest.bench.certificate import make_certificate
from loadtest.bench.contenders import fleet_of, plain_aioboto3, seed_handler, whole_path
from loadtest.bench.measured import Measured
from loadtest.bench.processes import machine
from loadtest.bench.report import BenchReport
from loadtest.bench.turns import in_turn
from loadtest.servers import Influxd
from loadtest.toolchain import Api, FoundInfluxd

HALF = 0.5
SHARES = (0.1, HALF, 0.9)
"""Of the peak, at which the lag is measured."""
FLEETS = (100, 10_000, 100_000, 1_000_000)
FEWEST_FOR_MEMORY = 100_000
"""Fewer records are lost in the noise of what else takes memory."""
_MS = 1000.0
_MB = 1e6


@dataclass(slots=True, frozen=True)
class Options:
    """How long to look at each contender, how often, and how far to go."""

    seconds: float
    rounds: int
    devices: int
    api: Api


async def run_bench(options: Options, found: FoundInfluxd, console: Console) -> BenchReport:
    """Measure everything; what contenders cost is the median of several looks at each in turn."""
    report = BenchReport(machine())
    with tempfile.TemporaryDirectory(prefix="ingestor-bench-") as folder:
        await _contenders(options, Path(folder), report, console)
    await _costs(options, report, console)
    await _fleets(options, report, console)
    await _lags(options, found, report, console)
    console.print("idle")
    idle = await runs.idle(max(20.0, options.seconds))
    report.add("idle_cpu", idle.cores, "cores", "run")
    report.ratio("idle_cores", idle.cores)
    return report


async def _contenders(
    options: Options, folder: Path, report: BenchReport, console: Console
) -> None:
    certificate = make_certificate(folder)
    opening = {
        "seed": seed_handler(),  # the first, as it takes longest to warm up
        "aioboto3": plain_aioboto3(tuned=True),
        "untuned_aioboto3": plain_aioboto3(tuned=False),
        "plain": whole_path(),
        "tls": whole_path(certificate),
        "two_workers": whole_path(workers=2),
    }
    seen: dict[str, list[Measured]] = {name: [] for name in opening}
    async with AsyncExitStack() as stack:
        turns = {}
        for name, contender in opening.items():
            console.print(f"starting {name}")
            turns[name] = await stack.enter_async_context(contender)
        for number in range(options.rounds):
            for name, measured in (await in_turn(turns, options.seconds)).items():
                seen[name].append(measured)
                console.print(f"round {number + 1}: {name} {measured.per_core:,.0f} per core")
    rate = {name: median(each.per_core for each in looks) for name, looks in seen.items()}
    unit = "messages/s"
    report.add("whole_path", rate["plain"], unit, "core")
    report.add("whole_path_cpu", 1e6 / rate["plain"], "us/message", "core")
    report.add("whole_path_tls", rate["tls"], unit, "core")
    report.add("aioboto3_receive_and_delete", rate["aioboto3"], unit, "core")
    report.add("untuned_aioboto3_receive_and_delete", rate["untuned_aioboto3"], unit, "core")
    report.add("seed_handler", rate["seed"], unit, "core")
    # It waits for its answers, and Lambda bills the waiting.
    by_the_clock = median(each.per_second for each in seen["seed"])
    report.add("seed_handler_by_the_clock", by_the_clock, unit, "run")
    report.add("two_workers", 2 * rate["two_workers"], unit, "run")
    report.add("rss_at_full_load", max(each.rss_bytes for each in seen["plain"]) / _MB, "MB", "run")
    ceilings = await ceiling(options.seconds)
    report.add("ceiling_sqs", ceilings["sqs"], unit, "core")
    report.add("ceiling_sqs_by_the_clock", ceilings["sqs_by_the_clock"], unit, "run")
    report.warnings += too_near(rate["plain"], {"the canned queue": ceilings["sqs"]})
    report.ratio("vs_aioboto3_per_core", rate["plain"] / rate["aioboto3"])
    report.ratio("vs_untuned_aioboto3_per_core", rate["plain"] / rate["untuned_aioboto3"])
    report.ratio("vs_seed_per_core", rate["plain"] / rate["seed"])
    report.ratio("tls_over_plain", rate["tls"] / rate["plain"])
    # On two cores the servers take their share of the clock: what counts is the CPU of the workers.
    report.ratio("two_workers_over_one", 2 * rate["two_workers"] / rate["plain"])


async def _costs(options: Options, report: BenchReport, console: Console) -> None:
    console.print("where the time goes")
    # Twice as long: it is made of samples.
    for stage, cost in (await runs.stages(2 * options.seconds)).items():
        report.add(f"cpu_{stage.replace(' ', '_').lower()}", cost, "us/message", "core")
    ways = await runs.mapping_cost()
    for name, cost in ways.items():
        report.add(name, cost, "us/message", "core")
    for name in ("mapping", "complete_mapping"):
        report.ratio(f"{name}_over_handwritten", ways[name] / ways["handwritten"])


async def _fleets(options: Options, report: BenchReport, console: Console) -> None:
    costs = {}
    memory = {}
    sizes = [each for each in FLEETS if each <= options.devices]
    console.print(f"fleets of {', '.join(map(str, sizes))} devices; their records take minutes")
    async with AsyncExitStack() as stack:
        # While the largest is loaded none has to wait.
        turns = {n: await stack.enter_async_context(fleet_of(n)) for n in reversed(sizes)}
        looks = await in_turn(turns, options.seconds)
    for devices in sizes:
        measured = looks[devices]
        costs[devices] = 1e6 / measured.per_core
        memory[devices] = measured.rss_bytes
        console.print(f"{devices} devices: {costs[devices]:.1f} us a message")
        report.add(f"cost_{devices}_devices", costs[devices], "us/message", "core")
        report.add(f"rss_{devices}_devices", measured.rss_bytes / _MB, "MB", "run")
    least, most = min(costs), max(costs)
    if most >= FEWEST_FOR_MEMORY:
        hundred_thousands = (most - least) / 100_000
        grown_mb = (memory[most] - memory[least]) / _MB
        report.ratio("rss_mb_per_100000_records", grown_mb / hundred_thousands)
    if most == FLEETS[-1]:
        report.ratio("cost_1m_over_100_devices", costs[most] / costs[least])


async def _lags(
    options: Options, found: FoundInfluxd, report: BenchReport, console: Console
) -> None:
    async with Influxd(found, api=options.api) as influxd:
        peak, _ = await runs.lag(options.seconds, influxd, None)
        report.add("peak_with_influxd", peak.per_second, "messages/s", "run")
        for share in SHARES:
            rate = peak.per_second * share
            measured, lag = await runs.lag(options.seconds, influxd, rate)
            percent = f"{share * 100:.0f}"
            console.print(f"{percent} % of {peak.per_second:,.0f}/s: {lag}")
            report.add(f"rate_at_{percent}_percent", measured.per_second, "messages/s", "run")
            for quantile in ("p50", "p99"):
                report.add(f"lag_{quantile}_at_{percent}_percent", lag[quantile], "ms", "run")
            if share == HALF:
                report.ratio("lag_p99_ms_at_50_percent", lag["p99"])

"""The command `loadtest`."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from loadtest.bench.plots import NoFiguresError, draw_all
from loadtest.bench.report import BenchReport
from loadtest.chaos.report import ChaosReport
from loadtest.chaos.run import Options as ChaosOptions
from loadtest.chaos.run import run_chaos
from loadtest.demo import Options, Way, run_demo
from loadtest.fleet import command
from loadtest.fleet.options import WayIn
from loadtest.fleet.regression import compare_reports
from loadtest.fleet.report import FleetReport
from loadtest.fleet.run import run_fleet
from loadtest.kinds import Kinds
from loadtest.report import Report
from loadtest.servers import ServerError
from loadtest.soak.report import SoakReport
from loadtest.toolchain import Api, FoundInfluxd, ToolchainError, find_influxd

INTERRUPTED = 130
"""The exit status of a run that was ended at once."""
DEVICES = 20
FEW_DEVICES = 5

app = typer.Typer(
    help="Runs devices, ingestor and servers on this machine, and counts what arrived.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def demo(
    *,
    duration: Annotated[
        float | None, typer.Option(min=1, help="Seconds to run. Not given: until Ctrl-C.")
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Devices, a reading a second. Not given: 20; 5 where a function is called for "
            "each reading, which MiniStack runs as processes of this machine.",
            show_default=False,
        ),
    ] = None,
    kill: Annotated[
        bool, typer.Option("--kill", help="Kill the ingestor (-9) half-way and start it again.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Which devices with which values.")] = 1,
    way: Annotated[
        Way, typer.Option(help="Through the service, or through Lambda from queue or rule.")
    ] = Way.SERVICE,
    kinds: Annotated[
        Kinds, typer.Option(help="The 2020 demo's devices, or these and two other kinds in turn.")
    ] = Kinds.SEED,
    report: Annotated[Path, typer.Option(help="Where to write the result.")] = Path(
        "build/demo.json"
    ),
) -> None:
    """Run a fleet of devices through broker, rule, queue and ingestor into InfluxDB.

    Exit status: 0 when every reading sent is stored once, as sent and with all its metadata;
    1 when not, or when something could not be started; 130 when interrupted twice.
    """
    if kill and way is not Way.SERVICE:
        raise typer.BadParameter("--kill is for the service: Lambda has no process of ours to kill")
    if kinds is Kinds.MIXED and way is Way.LAMBDA_DIRECT:
        raise typer.BadParameter("--kinds mixed needs a queue: its rules do not invoke functions")

    def start(found: FoundInfluxd, console: Console) -> Coroutine[Any, Any, Report]:
        count = devices or (FEW_DEVICES if way is Way.LAMBDA_DIRECT else DEVICES)
        options = Options(duration, count, kill, seed, _api(found), way, kinds)
        return run_demo(options, found, console)

    result = _run(start, report)
    raise typer.Exit(0 if result.counts.exact else 1)


@app.command()
def chaos(
    *,
    messages: Annotated[int, typer.Option(min=100, help="How many messages to send.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Which messages, and what goes wrong when.")] = 1,
    report: Annotated[Path, typer.Option(help="Where to write the result.")] = Path(
        "build/chaos.json"
    ),
) -> None:
    """Send messages while servers and calls fail in every way, and count what became of them.

    The service is killed and stopped, influxd is killed, each server is away for a while, and a
    proxy before each lets single calls go wrong. The same seed and number give the same schedule.

    Exit status: 0 when every good message is stored once and every bad one is dead-lettered with
    its reason; 1 when not, or when something could not be started; 130 when interrupted.
    """

    def start(found: FoundInfluxd, console: Console) -> Coroutine[Any, Any, ChaosReport]:
        return run_chaos(ChaosOptions(messages, seed, _api(found)), found, console)

    result = _run(start, report)
    raise typer.Exit(0 if result.exact else 1)


@app.command()
def bench(
    *,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long to look at each contender.")
    ] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often; medians are reported.")] = 3,
    devices: Annotated[
        int, typer.Option(min=100, help="The largest fleet, each device with its record.")
    ] = 1_000_000,
    report: Annotated[Path, typer.Option(help="Where to write the result.")] = Path(
        "build/bench.json"
    ),
) -> None:
    """Measure what one core does, beside a plain aioboto3 loop and the 2020 handler.

    Exit status: 0 when every ratio is as good as it is to be; 1 when not, or when something could
    not be started; 130 when interrupted twice.
    """
    # It needs packages that the demo does without.
    from loadtest.bench.bench import Options as BenchOptions  # noqa: PLC0415 - see above
    from loadtest.bench.bench import run_bench  # noqa: PLC0415 - see above

    def start(found: FoundInfluxd, console: Console) -> Coroutine[Any, Any, BenchReport]:
        return run_bench(BenchOptions(seconds, rounds, devices, _api(found)), found, console)

    result = _run(start, report)
    raise typer.Exit(0 if result.good else 1)


@app.command()
def plot(
    *,
    report: Annotated[Path, typer.Option(help="What `loadtest bench` has written.")] = Path(
        "build/bench.json"
    ),
    folder: Annotated[Path, typer.Option(help="Where to put the pictures.")] = Path("build"),
) -> None:
    """Draw the figures of a bench: rate by cores, cost by fleet, lag by load, as SVG.

    Exit status: 0 when something was drawn, 1 when there are no figures.
    """
    try:
        files = draw_all(report, folder)
    except NoFiguresError as error:
        Console(stderr=True).print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(1) from error
    for file in files:
        Console().print(f"Written to {file}", highlight=False)


@app.command()
def soak(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to soak.")] = 30.0,
    peak_seconds: Annotated[
        float, typer.Option(min=1, help="How long to look for the peak before.")
    ] = 10.0,
    report: Annotated[Path, typer.Option(help="Where to write the result.")] = Path(
        "build/soak.json"
    ),
) -> None:
    """Keep the service at 80 % of its peak, in front of canned servers, and see whether it grows.

    Exit status: 0 when its memory is flat, its event loop is on time and the work gets done; 1 when
    not, or when something could not be started; 130 when interrupted.
    """
    from loadtest.soak.run import Options as SoakOptions  # noqa: PLC0415 - as for the bench
    from loadtest.soak.run import run_soak  # noqa: PLC0415 - as for the bench

    def start(console: Console) -> Coroutine[Any, Any, SoakReport]:
        return run_soak(SoakOptions(60 * minutes, peak_seconds), console)

    result = _run_alone(start, report)
    raise typer.Exit(0 if result.good else 1)


@app.command()
def fleet(  # noqa: PLR0913 - a parameter for each option of the command line
    *,
    devices: command.Devices = 20,
    rate: command.Rate = "1/s",
    duration: command.Duration = "60s",
    profile: command.Profiles = [],  # noqa: B006 - typer makes a list of its own each time
    poison: command.Poison = "",
    kind: command.Kinds = ["pressure", "vehicle", "weather"],  # noqa: B006 - as above
    way: command.Way = WayIn.WS,
    seed: command.Seed = 1,
    records: command.Records = 0,
    connections: command.Connections = command.DEFAULT_CONNECTIONS,
    report: command.Report = Path("build/fleet.json"),
) -> None:
    """Run any fleet by any way in, and tell what became of every single reading.

    Messages are sent when they are due, however slow the system is. The ledger, a SQLite file, is
    compared with all that InfluxDB and the dead-letter queue hold.

    Exit status: 0 when every reading has the fate that it should have; 1 when not, or when
    something could not be started; 2 for wrong usage; 130 when interrupted twice.
    """
    options = command.make_options(
        devices=devices,
        rate=rate,
        duration=duration,
        profiles=profile,
        poison=poison,
        kinds=kind,
        way=way,
        seed=seed,
        records=records,
        connections=connections,
        report=report,
    )

    def start(found: FoundInfluxd, console: Console) -> Coroutine[Any, Any, FleetReport]:
        return run_fleet(options, found, _api(found), console)

    result = _run(start, report)
    raise typer.Exit(0 if result.good else 1)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="The report of a fleet run.")],
    after: Annotated[Path, typer.Argument(help="Another, of the same options.")],
) -> None:
    """Tell which figures of two fleet runs differ by more than chance.

    Exit status: 0 when nothing has become worse; 1 when something has; 2 for wrong usage.
    """
    try:
        result = compare_reports(before, after)
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from exc
    Console().print(result.table())
    raise typer.Exit(0 if result.good else 1)


class _Result(Protocol):
    def write(self, path: Path) -> None: ...

    def table(self) -> Table: ...


_AnyResult = TypeVar("_AnyResult", bound=_Result)


def _run(
    start: Callable[[FoundInfluxd, Console], Coroutine[Any, Any, _AnyResult]], report: Path
) -> _AnyResult:
    """The same as _run_alone, for a run with a real InfluxDB."""
    return _run_alone(lambda console: start(find_influxd(), console), report)


def _run_alone(
    start: Callable[[Console], Coroutine[Any, Any, _AnyResult]], report: Path
) -> _AnyResult:
    """The result of a run, shown and written; ends the program when there is none."""
    # Until the loop takes the signals over, SIGTERM does what Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    result: _AnyResult | None = None
    status = 1
    try:
        # The load and its proxies work as hard as the service: on the same kind of loop.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(start(console))
    except* (ToolchainError, ServerError) as group:
        for error in _leaves(group):
            Console(stderr=True).print(
                str(error), style="red", highlight=False, markup=False, soft_wrap=True
            )
    except* (asyncio.CancelledError, KeyboardInterrupt):
        Console(stderr=True).print("Ended at once, nothing was counted.")
        status = INTERRUPTED
    if result is None:
        raise typer.Exit(status)
    result.write(report)
    console.print(result.table())
    console.print(f"Written to {report}", highlight=False)
    return result


def _api(found: FoundInfluxd) -> Api:
    """The write API that INGESTOR_INFLUXDB_API names, else the newest that the binary has."""
    match os.environ.get("INGESTOR_INFLUXDB_API", "").strip().lower():
        case "v1":
            return "v1"
        case "v2":
            return "v2"
        case "":
            return "v2" if "v2" in found.apis else "v1"
        case other:
            raise ToolchainError(f"INGESTOR_INFLUXDB_API is {other!r}: set it to v1 or v2")


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    leaves: list[Exception] = []
    for each in group.exceptions:
        leaves += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return leaves


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()

"""`loadtest demo`."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtest.cli.run import influxdb_api, run
from loadtest.demo import Options, Way, run_demo
from loadtest.kinds import Kinds
from loadtest.report import Report
from loadtest.toolchain import FoundInfluxd

DEVICES = 20
FEW_DEVICES = 5


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
        ledger = report.with_suffix(".sqlite")
        options = Options(duration, count, kill, seed, influxdb_api(found), way, kinds, ledger)
        return run_demo(options, found, console)

    result = run(start, report)
    raise typer.Exit(0 if result.counts.exact else 1)

"""`loadtest fleet` and `loadtest compare`."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtest.cli.run import influxdb_api, run, run_alone
from loadtest.fleet import command
from loadtest.fleet.options import WayIn
from loadtest.fleet.regression import compare_reports
from loadtest.fleet.report import FleetReport
from loadtest.fleet.run import run_fleet
from loadtest.toolchain import FoundInfluxd


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
    endpoint: command.Endpoint = "",
    resume: command.Resume = False,
    report: command.Report = Path("build/fleet.json"),
) -> None:
    """Run any fleet by any way in, and tell what became of every single reading.

    Messages are sent when they are due, however slow the system is. The ledger, a SQLite file, is
    compared with all that InfluxDB and the dead-letter queue hold.

    Exit status: 0 when every reading has the fate that it should have; 1 when not, or when
    something could not be started; 2 for wrong usage; 130 when interrupted twice.
    """
    options = (
        command.resumed_options(report)
        if resume
        else command.make_options(
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
            endpoint=endpoint,
            report=report,
        )
    )

    def start(found: FoundInfluxd, console: Console) -> Coroutine[Any, Any, FleetReport]:
        return run_fleet(options, found, influxdb_api(found), console, resume=resume)

    if options.way in (WayIn.AWS, WayIn.ANSWERER):  # nothing is stored on this machine
        result = run_alone(
            lambda console: run_fleet(options, None, "v2", console, resume=resume), report
        )
    else:
        result = run(start, report)
    raise typer.Exit(0 if result.good else 1)


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

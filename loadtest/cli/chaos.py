"""`loadtest chaos`."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtest.chaos.report import ChaosReport
from loadtest.chaos.run import Options, run_chaos
from loadtest.cli.run import influxdb_api, run
from loadtest.toolchain import FoundInfluxd


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
        ledger = report.with_suffix(".sqlite")
        return run_chaos(Options(messages, seed, influxdb_api(found), ledger), found, console)

    result = run(start, report)
    raise typer.Exit(0 if result.exact else 1)

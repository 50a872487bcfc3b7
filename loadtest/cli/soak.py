"""`loadtest soak`."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtest.cli.run import run_alone
from loadtest.soak.report import SoakReport


def soak(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to soak.")] = 30.0,
    peak_seconds: Annotated[
        float, typer.Option(min=1, help="How long to look for the peak before.")
    ] = 60.0,
    report: Annotated[Path, typer.Option(help="Where to write the result.")] = Path(
        "build/soak.json"
    ),
) -> None:
    """Keep the service at 80 % of its peak, in front of canned servers, and see whether it grows.

    Exit status: 0 when its memory is flat, its event loop is on time and the work gets done; 1 when
    not, or when something could not be started; 130 when interrupted.
    """
    # It needs packages that the demo does without.
    from loadtest.soak.run import Options, run_soak  # noqa: PLC0415 - see above

    def start(console: Console) -> Coroutine[Any, Any, SoakReport]:
        return run_soak(Options(60 * minutes, peak_seconds), console)

    result = run_alone(start, report)
    raise typer.Exit(0 if result.good else 1)

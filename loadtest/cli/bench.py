"""`loadtest bench` and `loadtest plot`."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtest.bench.plots import HEIGHT, PNG_SCALE, WIDTH, NoFiguresError, draw_all
from loadtest.bench.report import BenchReport
from loadtest.cli.run import influxdb_api, run
from loadtest.picture import NoPictureError, draw
from loadtest.toolchain import FoundInfluxd


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
    from loadtest.bench.bench import Options, run_bench  # noqa: PLC0415 - see above

    def start(found: FoundInfluxd, console: Console) -> Coroutine[Any, Any, BenchReport]:
        return run_bench(Options(seconds, rounds, devices, influxdb_api(found)), found, console)

    result = run(start, report)
    raise typer.Exit(0 if result.good else 1)


def plot(
    *,
    report: Annotated[Path, typer.Option(help="What `loadtest bench` has written.")] = Path(
        "build/bench.json"
    ),
    folder: Annotated[Path, typer.Option(help="Where to put the pictures.")] = Path("build"),
    png: Annotated[bool, typer.Option("--png", help="As PNG, too; needs Chromium.")] = False,
) -> None:
    """Draw the figures of a bench: rate by cores, cost by fleet, lag by load, as SVG.

    Exit status: 0 when something was drawn, 1 when there are no figures, or no Chromium for PNG.
    """
    try:
        files = draw_all(report, folder)
        if png:
            drawn = draw(files, width=WIDTH, height=HEIGHT, scale=PNG_SCALE)
            pngs = [file.with_suffix(".png") for file in files]
            for file, picture in zip(pngs, drawn, strict=True):
                file.write_bytes(picture)
            files += pngs
    except (NoFiguresError, NoPictureError) as error:
        Console(stderr=True).print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(1) from error
    for file in files:
        Console().print(f"Written to {file}", highlight=False)

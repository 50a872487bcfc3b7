"""The command `loadtest`."""

import typer

from loadtest.cli.bench import bench, plot
from loadtest.cli.chaos import chaos
from loadtest.cli.demo import demo
from loadtest.cli.fleet import compare, fleet
from loadtest.cli.soak import soak

app = typer.Typer(
    help="Runs devices, ingestor and servers on this machine, and counts what arrived.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for each in (demo, chaos, bench, plot, soak, fleet, compare):
    app.command()(each)


def main() -> None:
    """Run the command."""
    app()

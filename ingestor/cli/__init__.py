"""The command line: one file per command."""

import typer

from ingestor.cli.check import check
from ingestor.cli.dead_letters import dead_letters
from ingestor.cli.map import map_samples
from ingestor.cli.output import EXIT_HELP
from ingestor.cli.run import run
from ingestor.cli.status import status
from ingestor.cli.version import version
from ingestor.cli.work import work
from ingestor.cli.world import real_world

app = typer.Typer(
    name="ingestor",
    help="Sensor readings from AWS IoT through SQS into InfluxDB, enriched from DynamoDB.",
    epilog=EXIT_HELP,
    no_args_is_help=True,
    add_completion=False,
    # The decorated tracebacks can show local variables, secrets among them.
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(check)
app.command("map")(map_samples)
app.command()(status)
app.command()(version)
app.add_typer(dead_letters, name="dead-letters")
app.command(hidden=True)(work)


def main() -> None:
    """The command line of this process; does not return."""
    app(obj=real_world())

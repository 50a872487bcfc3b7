"""`ingestor run`."""

from typing import Annotated

import typer

from ingestor.cli.output import Exit, write_mistakes
from ingestor.cli.world import world_of


def run(
    context: typer.Context,
    *,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto", help="Processes to share the work; auto is one for each core."
        ),
    ] = None,
) -> None:
    """Move readings from SQS to InfluxDB until SIGTERM or Ctrl-C.

    The first signal stores and settles what is held, a second one ends at once. Everything is
    configured by INGESTOR_* environment variables. Exit status: 0 after a clean stop; 1 when the
    service could not start or failed; 2 when the configuration is wrong, every mistake of which
    is named on standard error.
    """
    from ingestor.config import ConfigError, load  # noqa: PLC0415 - see ingestor.cli.world

    world = world_of(context)
    try:
        settings = load({**world.environ, **_asked(workers)})
    except ConfigError as error:
        write_mistakes(error.mistakes)
        raise typer.Exit(Exit.USAGE_WRONG) from None
    raise typer.Exit(world.run(settings))


def _asked(workers: str | None) -> dict[str, str]:
    """The setting that the option stands for."""
    if workers is None:
        return {}
    return {"INGESTOR_WORKERS": "0" if workers == "auto" else workers}

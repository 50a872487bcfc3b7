"""`ingestor work`: one of the workers of `ingestor run --workers`, started by its supervisor."""

from typing import Annotated

import typer

from ingestor.cli.output import Exit, write_mistakes
from ingestor.cli.world import world_of


def work(
    context: typer.Context,
    *,
    number: Annotated[int, typer.Option(help="Which worker this is, from 0.")],
    of: Annotated[int, typer.Option(help="How many there are.")],
    listening: Annotated[int, typer.Option(help="The descriptor of its listening socket.")],
) -> None:
    """Be one worker. Not for people: it ends when its standard input does."""
    from ingestor.app import work as begin  # noqa: PLC0415 - see ingestor.cli.world
    from ingestor.config import ConfigError, load  # noqa: PLC0415 - see ingestor.cli.world

    try:
        settings = load(world_of(context).environ)
    except ConfigError as error:
        write_mistakes(error.mistakes)
        raise typer.Exit(Exit.USAGE_WRONG) from None
    raise typer.Exit(begin(settings, number=number, of=of, listening=listening))

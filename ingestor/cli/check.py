"""`ingestor check`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text

from ingestor.cli.mapping import read_file
from ingestor.cli.output import Exit, aligned, console, write_json, write_mistakes
from ingestor.cli.world import Examined, world_of

if TYPE_CHECKING:  # see ingestor.cli.world
    from ingestor.config import ConfigError
    from ingestor.core.mapping import Mistake

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Check configuration and mapping, call nothing.")
]


_OK = Text("ok   ", style="green")
_FAIL = Text("fail ", style="bold red")


MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", help="Check this mapping alone, and nothing else."),
]


def check(
    context: typer.Context,
    *,
    as_json: AsJson = False,
    offline: Offline = False,
    mapping: MappingFile = None,
) -> None:
    """Say all that would keep `ingestor run` from working, and what to do about it.

    First the INGESTOR_* variables and the mapping; when these are right, whether the queues, the
    table and InfluxDB can be reached and will take the credentials. Nothing is received or
    written. Exit status: 0 all is well; 1 a dependency will not do; 2 the configuration is wrong.
    """
    from ingestor.config import ConfigError, load  # noqa: PLC0415 - see ingestor.cli.world

    world = world_of(context)
    if mapping is not None:
        _check_mapping(mapping, as_json=as_json)
    try:
        settings = load(world.environ)
    except ConfigError as error:
        _report_mistakes(error, as_json=as_json)
        raise typer.Exit(Exit.USAGE_WRONG) from None
    examined = [] if offline else asyncio.run(world.examine(settings))
    ok = all(each.ok for each in examined)
    if as_json:
        found = [{"name": each.name, "ok": each.ok, "detail": each.detail} for each in examined]
        write_json({"ok": ok, "mistakes": [], "examined": found})
    else:
        _report(examined)
    raise typer.Exit(Exit.FINE if ok else Exit.WORLD_WRONG)


def _check_mapping(file: Path, *, as_json: bool) -> NoReturn:
    from ingestor.core.mapping import MappingError, parse_mapping  # noqa: PLC0415 - see cli.world

    mistakes: Sequence[Mistake] = ()
    try:
        parse_mapping(read_file(str(file)).decode(errors="replace"))
    except MappingError as error:
        mistakes = error.details
    if as_json:
        write_json({"ok": not mistakes, "mistakes": mistakes, "examined": []})
    elif mistakes:
        write_mistakes([str(each) for each in mistakes], of="mapping")
    else:
        console().print(_OK, f"{file}  no mistakes")
    raise typer.Exit(Exit.USAGE_WRONG if mistakes else Exit.FINE)


def _report_mistakes(error: "ConfigError", *, as_json: bool) -> None:
    if as_json:
        write_json({"ok": False, "mistakes": error.details, "examined": []})
    else:
        write_mistakes(error.mistakes)


def _report(examined: Sequence[Examined]) -> None:
    out = console()
    names = aligned(["configuration", *(each.name for each in examined)])
    out.print(_OK, f"{names[0]}  no mistakes")
    for name, each in zip(names[1:], examined, strict=True):
        out.print(_OK if each.ok else _FAIL, f"{name}  {each.detail}")

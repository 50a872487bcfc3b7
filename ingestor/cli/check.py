"""`ingestor check`."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ingestor.cli.output import Exit, aligned, console, write_json, write_mistakes
from ingestor.cli.world import Examined, world_of

if TYPE_CHECKING:  # see ingestor.cli.world
    from ingestor.config import ConfigError

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Check configuration and mapping, call nothing.")
]


_OK = Text("ok   ", style="green")
_FAIL = Text("fail ", style="bold red")


def check(context: typer.Context, *, as_json: AsJson = False, offline: Offline = False) -> None:
    """Say all that would keep `ingestor run` from working, and what to do about it.

    First the INGESTOR_* variables and the mapping; when these are right, whether the queues, the
    table and InfluxDB can be reached and will take the credentials. Nothing is received or
    written. Exit status: 0 all is well; 1 a dependency will not do; 2 the configuration is wrong.
    """
    from ingestor.config import ConfigError, load  # noqa: PLC0415 - see ingestor.cli.world

    world = world_of(context)
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

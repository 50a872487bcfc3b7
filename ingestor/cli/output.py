"""What the commands have in common: exit statuses, and how things are written."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import msgspec
import typer
from rich.console import Console


class Exit(IntEnum):
    """What an exit status means, for every command."""

    FINE = 0
    WORLD_WRONG = 1
    USAGE_WRONG = 2


EXIT_HELP = (
    "Exit status: 0 all is well; 1 something in the world is wrong; "
    "2 the configuration or the command line is wrong."
)


def console(*, stderr: bool = False) -> Console:
    """For people; lines stay whole, and text from elsewhere is never taken for markup."""
    return Console(stderr=stderr, markup=False, highlight=False, soft_wrap=True)


def aligned(names: Sequence[str]) -> list[str]:
    """The names, filled up with spaces to the same width."""
    width = max(map(len, names))
    return [name.ljust(width) for name in names]


def write_json(content: Any) -> None:
    """For scripts: one document on standard output."""
    typer.echo(msgspec.json.format(msgspec.json.encode(content)))


def write_mistakes(mistakes: Sequence[str], *, of: str = "configuration") -> None:
    """What is wrong with the configuration or another document, on standard error."""
    out = console(stderr=True)
    number = len(mistakes)
    out.print(f"The {of} has {number} mistake{'s' if number > 1 else ''}:", style="bold")
    for mistake in mistakes:
        out.print(f"- {mistake}")

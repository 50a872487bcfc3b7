"""Where the commands that work offline find a mapping."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from ingestor.cli.output import Exit, console

if TYPE_CHECKING:  # see ingestor.cli.world
    from ingestor.core.mapping import Mapping as Document

_STDIN = "-"
_MOST_BYTES = 16 * 1024**2
"""Of one file: many times what SQS takes."""


def find_mapping(environ: Mapping[str, str], file: Path | None) -> tuple[str, str]:
    """Where the mapping comes from, for a person, and its text.

    The file if one is given, else what the environment says, else the built-in one. Ends the
    command when a file cannot be read.
    """
    from ingestor.core.mapping import DEFAULT_MAPPING  # noqa: PLC0415 - see ingestor.cli.world

    text = environ.get("INGESTOR_MAPPING", "").strip()
    named = environ.get("INGESTOR_MAPPING_FILE", "").strip()
    if file is None and text:
        return "INGESTOR_MAPPING", text
    if file is None and not named:
        return "the built-in mapping", DEFAULT_MAPPING
    name = str(file or named)
    return name, read_file(name).decode(errors="replace")


def compiled(source: str, text: str) -> "Document":
    """The mapping; ends the command, naming every mistake, when it cannot be used."""
    from ingestor.core.mapping import MappingError, parse_mapping  # noqa: PLC0415 - see cli.world

    try:
        return parse_mapping(text)
    except MappingError as error:
        for mistake in error.mistakes:
            console(stderr=True).print(f"{source}: {mistake}")
        raise typer.Exit(Exit.USAGE_WRONG) from None


def read_file(name: str) -> bytes:
    """What a file holds, - being standard input; ends the command when it cannot be read."""
    try:
        if name == _STDIN:
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        wrong(f"{name}: {error.strerror}")
    if len(content) > _MOST_BYTES:
        wrong(f"{name}: it is larger than {_MOST_BYTES} bytes")
    return content


def wrong(what: str) -> NoReturn:
    """End the command because of how it was called."""
    console(stderr=True).print(what)
    raise typer.Exit(Exit.USAGE_WRONG)

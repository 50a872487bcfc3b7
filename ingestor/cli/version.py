"""`ingestor version`."""

import platform
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from ingestor.cli.output import write_json

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]


def version(*, as_json: AsJson = False) -> None:
    """Say which version this is, and what it runs on."""
    versions = {
        "version": version_of("ingestor"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    if as_json:
        write_json(versions)
    else:
        typer.echo("ingestor {version} (Python {python}, {platform})".format_map(versions))

"""The folders of tests/cases: each a message, and what `ingestor map` makes of it.

A folder holds `message.*` and `expected.lp` or `expected-error.txt`; where there is no
`mapping.toml` the built-in mapping counts. `metadata.json` holds the records; `topic.txt` says
that the message is what a device published on that topic, rather than what a rule made of it.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestor.cli import app
from ingestor.cli.world import World
from ingestor.core.message import Reason

FOLDERS = sorted((Path(__file__).parents[2] / "cases").iterdir())
SENT_AT = "2023-11-14T22:13:20.400Z"


def arguments(folder: Path) -> list[str]:
    """The command line for a case."""
    (message,) = folder.glob("message.*")
    options = ["map", str(message), "--sent-at", SENT_AT]
    for option, name in (("--mapping", "mapping.toml"), ("--metadata", "metadata.json")):
        if (folder / name).exists():
            options += [option, str(folder / name)]
    if (topic := folder / "topic.txt").exists():
        options += ["--topic", topic.read_text().strip()]
    return options


def world() -> World:
    """An environment without variables, in which nothing runs."""

    def run(_: object) -> int:
        raise NotImplementedError

    async def examine(_: object) -> list[object]:
        raise NotImplementedError

    return World({}, run, examine)  # type: ignore[arg-type] # never called


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    """The message becomes the expected lines, or is refused with the expected words."""
    lines, error = folder / "expected.lp", folder / "expected-error.txt"

    result = CliRunner().invoke(app, arguments(folder), obj=world())

    assert lines.exists() != error.exists()
    if lines.exists():
        assert (result.stdout, result.stderr, result.exit_code) == (lines.read_text(), "", 0)
    else:
        (message,) = folder.glob("message.*")
        assert result.stderr.startswith(f"{message}: {error.read_text().strip()}. ")
        assert (result.stdout, result.exit_code) == ("", 1)


def test_every_reason_has_a_case() -> None:
    """What a mapping can refuse is shown; what InfluxDB refuses, and defects, are not its doing."""
    errors = [path.read_text() for folder in FOLDERS for path in folder.glob("expected-error.txt")]
    reasons = {text.split(": ")[1] for text in errors}

    others = {
        Reason.FIELD_TYPE_CONFLICT,
        Reason.BEYOND_RETENTION,
        Reason.TOO_MANY_SERIES,
        Reason.REFUSED_BY_INFLUXDB,
        Reason.LINE_TOO_LARGE,
        Reason.INTERNAL_ERROR,
    }
    assert reasons == set(Reason) - others
    assert len(FOLDERS) >= 60

"""The command line of `loadtest fleet`, and what a browser needs to be found."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtest.chromium import find_chromium
from loadtest.cli import app
from loadtest.fleet import command
from loadtest.fleet.options import Options, WayIn
from loadtest.fleet.parsing import parse_duration, parse_rate
from loadtest.toolchain import ToolchainError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("10m", 600), ("2h", 7_200)]
)
def test_durations(text: str, seconds: float) -> None:
    """A number and a unit; without a unit seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(("text", "rate"), [("1/s", 1), ("6/m", 0.1), ("36 / h", 0.01)])
def test_rates(text: str, rate: float) -> None:
    """Messages per unit of time."""
    assert parse_rate(text) == pytest.approx(rate)


def options(**changes: object) -> Options:
    """The options of a command line."""
    given = {
        "devices": 5_000,
        "rate": "6/m",
        "duration": "10m",
        "profiles": ["burst", "late=2%"],
        "poison": "0.5%",
        "kinds": ["vehicle"],
        "way": WayIn.SQS,
        "seed": 1,
        "records": 0,
        "connections": 10,
        "endpoint": "",
        "report": Path("build/x.json"),
    }
    return command.make_options(**{**given, **changes})  # type: ignore[arg-type] # by name


def test_what_the_command_line_says() -> None:
    """Units are read, `--poison` is a profile, files lie beside the report."""
    made = options()

    assert made.messages_per_second == pytest.approx(500)
    assert made.seconds == 600
    assert [profile.name for profile in made.profiles] == ["burst", "late", "poison"]
    assert made.as_dict()["profiles"][2] == {"name": "poison", "share": 0.005}
    assert made.records == 1_000
    assert (made.ledger, made.page) == (Path("build/x.sqlite"), Path("build/x.html"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rate", "fast"], "a rate is like 1/s"),
        (["--rate", "0/s"], "a rate is like 1/s"),
        (["--duration", "soon"], "a duration is like 90s"),
        (["--profile", "flood"], "there is no profile"),
        (["--poison", "lots"], "poison is a number or a percentage"),
        (["--kind", "nosuch"], "neither a built-in kind"),
        (["--way", "sqs", "--endpoint", "there.example"], "it is for --way aws"),
        (["--resume", "--report", "/nowhere/fleet.json"], "there is no ledger"),
    ],
)
def test_wrong_usage(arguments: list[str], complaint: str) -> None:
    """What is wrong is said at once, before anything is started."""
    result = CliRunner().invoke(app, ["fleet", *arguments], env={"COLUMNS": "300"})

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.replace("│", " ").split())


def test_a_named_chromium_must_run(tmp_path: Path) -> None:
    """Nothing else is tried when the one that is named does not run."""
    with pytest.raises(ToolchainError, match="does not run"):
        find_chromium({"INGESTOR_TEST_CHROMIUM": f"{tmp_path}/nosuch"})


def test_no_chromium_and_no_apt(tmp_path: Path) -> None:
    """What was tried is told, with every remedy."""
    with pytest.raises(ToolchainError) as raised:
        find_chromium({"PATH": str(tmp_path), "INGESTOR_CACHE": str(tmp_path / "cache")})

    for part in ("is on PATH", "no apt-get on PATH", "INGESTOR_TEST_CHROMIUM", "apt-get install"):
        assert part in str(raised.value)


def test_a_chromium_on_path_that_runs_is_taken(tmp_path: Path) -> None:
    """Before anything is fetched; one that does not run is passed over."""
    for name, script in (("chromium", "exit 1"), ("google-chrome", "exit 0")):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    assert find_chromium({"PATH": str(tmp_path)}).path == tmp_path / "google-chrome"

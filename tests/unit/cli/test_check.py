"""`ingestor check`, with a stand-in for the look at the dependencies."""

import json
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner, Result

from ingestor.cli import app
from ingestor.cli.world import World
from ingestor.config import Settings

ENVIRON = {
    "INGESTOR_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/readings",
    "INGESTOR_METADATA_TABLE": "demo-DeviceMetaData",
    "INGESTOR_INFLUXDB_URL": "http://influxdb.internal:8086",
    "INGESTOR_INFLUXDB_ORG": "factory",
    "INGESTOR_INFLUXDB_BUCKET": "readings",
    "INGESTOR_INFLUXDB_TOKEN": "very-secret",
}
WRONG = {
    "INGESTOR_QUEUE_URL": "readings",
    "INGESTOR_INFLUXDB_TOKEN": "very-secret\nindeed",
    "INGESTOR_METADATA_TABEL": "demo",
}


@dataclass
class Found:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


FINE = Found("SQS queue", ok=True, detail="visibility 30 s")
DOWN = Found("InfluxDB", ok=False, detail="[refused] the token. Set INGESTOR_INFLUXDB_TOKEN")


def check(
    *arguments: str, environ: dict[str, str] = ENVIRON, found: tuple[Found, ...] = ()
) -> Result:
    """The command's result when the look at the dependencies finds this."""

    async def examine(settings: Settings) -> tuple[Found, ...]:
        assert settings.influxdb_org == "factory"
        return found

    def run(_: Settings) -> int:
        raise NotImplementedError

    return CliRunner().invoke(app, ["check", *arguments], obj=World(environ, run, examine))


def test_all_is_well() -> None:
    """Each thing that was looked at has a line."""
    result = check(found=(FINE,))

    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["ok", "configuration", "no", "mistakes"],
        ["ok", "SQS", "queue", "visibility", "30", "s"],
    ]


def test_all_that_is_wrong_with_the_world_is_said() -> None:
    """The exit status is 1 as soon as one thing will not do; details are no markup."""
    result = check(found=(DOWN, FINE))

    assert result.exit_code == 1
    assert "fail  InfluxDB       [refused] the token. Set INGESTOR_INFLUXDB_TOKEN" in result.stdout
    assert "ok    SQS queue      visibility 30 s" in result.stdout


def test_a_long_detail_stays_in_one_line() -> None:
    """What is cut by the width of a terminal cannot be searched for or copied."""
    result = check(found=(Found("InfluxDB", ok=False, detail="word " * 60 + "end"),))

    assert len(result.stdout.splitlines()) == 2
    assert "word " * 60 + "end" in result.stdout


def test_three_mistakes_are_named_with_their_remedies() -> None:
    """The exit status is 2, nothing is called, no secret is shown."""
    result = check(environ=ENVIRON | WRONG)

    assert result.exit_code == 2
    title, *mistakes = result.stderr.splitlines()
    assert title == "The configuration has 3 mistakes:"
    for mistake, name in zip(
        mistakes, ["QUEUE_URL", "INFLUXDB_TOKEN", "METADATA_TABEL"], strict=True
    ):
        assert mistake.startswith(f"- INGESTOR_{name} ")
    assert "Set it to an http:// or https:// address" in mistakes[0]
    assert "Set it to one line of printable ASCII characters" in mistakes[1]
    assert mistakes[2].endswith("Did you mean INGESTOR_METADATA_TABLE?")
    assert "very-secret" not in result.output


def test_one_mistake_is_one_mistake() -> None:
    """Grammar too."""
    result = check(environ=ENVIRON | {"INGESTOR_WRITERS": "0"})

    assert result.stderr.startswith("The configuration has 1 mistake:\n")


def test_offline_nothing_is_called() -> None:
    """For a build machine that has no way to the dependencies."""
    result = check("--offline", found=(DOWN,))

    assert result.exit_code == 0
    assert "InfluxDB" not in result.stdout


@pytest.mark.parametrize(
    ("found", "exit_code"),
    [((FINE,), 0), ((FINE, DOWN), 1)],
)
def test_scripts_get_what_was_found_as_json(found: tuple[Found, ...], exit_code: int) -> None:
    """The same shape, whatever was found."""
    result = check("--json", found=found)

    assert result.exit_code == exit_code
    assert json.loads(result.stdout) == {
        "ok": exit_code == 0,
        "mistakes": [],
        "examined": [vars(each) for each in found],
    }


def test_scripts_get_mistakes_as_json() -> None:
    """Each split into the variable, the problem and the remedy."""
    result = check("--json", environ=ENVIRON | WRONG)

    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert (report["ok"], report["examined"]) == (False, [])
    assert report["mistakes"][2] == {
        "variable": "INGESTOR_METADATA_TABEL",
        "problem": "is not a setting of this version",
        "remedy": "Did you mean INGESTOR_METADATA_TABLE?",
    }
    assert len(report["mistakes"]) == 3
    assert "very-secret" not in result.output

"""`ingestor map`, and the mapping part of `ingestor check`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingestor.cli import app
from ingestor.cli.world import World
from ingestor.core.hints import HINTS
from ingestor.core.message import Reason
from ingestor.core.records import NoRecords, read_records

MAPPING = """
[[routes]]
measurement = "m"
[routes.tags]
site = { path = "site" }
[routes.fields]
v = { path = "v" }
[routes.metadata]
key = "k"
missing = "hold"
"""
GOOD = '{"v": 1, "site": "s", "k": "a"}\n'
SENT = ("--sent-at", "2023-11-14T22:13:20Z")
LINE = "m,family=f,site=s v=1.0 1700000000000000000\n"
WRONG = "[[routes]]\nmeasurement = '#'\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a mapping, records and samples."""
    contents = {
        "mapping.toml": MAPPING,
        "wrong.toml": WRONG,
        "records.json": '{"a": {"family": "f"}}',
        "good.json": GOOD,
        "bad.json": '{"v": "x", "k": "a"}',
        "unknown.json": '{"v": 1, "k": "b"}',
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    return tmp_path


def run(*arguments: str | Path, environ: dict[str, str] | None = None, stdin: str = "") -> Result:
    """The result of a command in an environment."""

    def never(_: object) -> int:
        raise NotImplementedError

    world = World(environ or {}, never, never)  # type: ignore[arg-type] # never called
    return CliRunner().invoke(app, [str(each) for each in arguments], obj=world, input=stdin)


def run_map(files: Path, *arguments: str | Path, stdin: str = "") -> Result:
    """The same for `map` with the mapping and the records."""
    known = ("--mapping", files / "mapping.toml", "--metadata", files / "records.json", *SENT)
    return run("map", *known, *arguments, stdin=stdin)


def test_lines_and_refusals(files: Path) -> None:
    """Lines on standard output, and on standard error each refusal with a hint."""
    names = ("good.json", "bad.json", "unknown.json", "binary")

    result = run_map(files, *(files / name for name in names))

    assert result.exit_code == 1
    assert result.stdout == LINE
    bad, unknown, binary = result.stderr.splitlines()
    assert bad == (
        f"{files}/bad.json: map: bad-field: v: it is a text that is not a number. "
        f"{HINTS[Reason.BAD_FIELD]}"
    )
    assert unknown.startswith(f"{files}/unknown.json: held back: there is no metadata record yet. ")
    assert "give --topic when this is what the device published" in binary


def test_all_is_well(files: Path) -> None:
    """Exit status 0, also for a sample from standard input."""
    result = run_map(files, "-", stdin=GOOD)

    assert (result.stdout, result.stderr, result.exit_code) == (LINE, "", 0)


def test_as_json(files: Path) -> None:
    """One document with an entry for each sample."""
    result = run_map(
        files,
        "--json",
        "--explain",
        files / "good.json",
        files / "bad.json",
        files / "unknown.json",
    )

    good, bad, unknown = json.loads(result.stdout)
    assert (good["ok"], good["route"], good["lines"]) == (True, "routes[0]", [LINE.strip()])
    assert good["parts"][0][1] == {
        "what": "tag family",
        "text": "f",
        "rule": "routes[0].metadata",
        "source": "attribute family",
    }
    assert (bad["stage"], bad["reason"], bad["hint"]) == (
        "map",
        "bad-field",
        HINTS[Reason.BAD_FIELD],
    )
    assert unknown["held_back"] == "there is no metadata record yet"


def test_as_json_without_explanation(files: Path) -> None:
    """Parts are there when they are asked for."""
    (good,) = json.loads(run_map(files, "--json", files / "good.json").stdout)

    assert "parts" not in good


def test_explained(files: Path) -> None:
    """Below a line, the rule and the source of each of its parts."""
    lines = run_map(files, "--explain", files / "good.json").stdout.splitlines()

    assert lines[0] == LINE.strip()
    assert lines[1].split() == ["measurement", "m", "routes[0].measurement", "constant", "m"]
    assert lines[-1].split("  ")[-1].strip() == "when the message entered the queue"
    assert "routes[0].time" in lines[-1]


def test_what_a_device_published(files: Path) -> None:
    """With --topic the sample has not been through the rule."""
    result = run("map", *SENT, "--topic", "pressure/data", files / "bad.json")

    assert "deviceid: it is missing or empty" in result.stderr


@pytest.mark.parametrize("variable", ["INGESTOR_MAPPING", "INGESTOR_MAPPING_FILE"])
def test_the_mapping_of_the_environment(files: Path, variable: str) -> None:
    """Without --mapping that of the service counts."""
    value = MAPPING.replace("hold", "write")
    if variable.endswith("FILE"):
        (files / "other.toml").write_text(value)
        value = str(files / "other.toml")

    result = run("map", *SENT, files / "good.json", environ={variable: value})

    assert result.stdout == LINE.replace(",family=f", "")


def test_a_wrong_mapping(files: Path) -> None:
    """Every mistake is named with the file it is in."""
    result = run("map", "--mapping", files / "wrong.toml", files / "good.json")

    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"{files}/wrong.toml: line 1, routes[0].fields: this is missing"
    )
    assert f"{files}/wrong.toml: line 2, routes[0].measurement: it begins with #" in result.stderr


def test_time_now(files: Path) -> None:
    """Without --sent-at the message has just entered the queue."""
    result = run(
        "map", files / "good.json", environ={"INGESTOR_MAPPING": MAPPING.replace("hold", "write")}
    )

    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("good.json", "--sent-at", "soon"), "neither ISO 8601 nor an epoch number"),
        (("nothing.json",), "nothing.json: No such file or directory"),
        (("good.json", "--mapping", "nothing.toml"), "nothing.toml: No such file or directory"),
        (("good.json", "--metadata", "good.json"), "good.json: it is not an object of records"),
    ],
)
def test_wrong_usage(
    files: Path, arguments: tuple[str, ...], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was wrong with the command line is said, with status 2."""
    monkeypatch.chdir(files)

    result = run("map", *arguments)

    assert result.exit_code == 2
    assert problem in " ".join(result.stderr.replace("│", "").split())


def test_too_large_a_file(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no sample is not read to its end."""
    monkeypatch.setattr("ingestor.cli.mapping._MOST_BYTES", 10)

    result = run("map", files / "good.json")

    assert result.exit_code == 2
    assert "good.json: it is larger than 10 bytes" in result.stderr


def test_check_of_a_mapping(files: Path) -> None:
    """`check --mapping` looks at this file and at nothing else."""
    good = run("check", "--mapping", files / "mapping.toml")
    wrong = run("check", "--mapping", files / "wrong.toml")
    document = json.loads(run("check", "--json", "--mapping", files / "wrong.toml").stdout)

    assert (good.exit_code, good.stdout) == (0, f"ok    {files}/mapping.toml  no mistakes\n")
    assert wrong.exit_code == 2
    assert wrong.stderr.splitlines()[0] == "The mapping has 2 mistakes:"
    assert document["mistakes"][1] == {
        "line": 2,
        "key": "routes[0].measurement",
        "problem": "it begins with #, which makes the line a comment; begin with something else",
        "remedy": "",
    }


def test_every_reason_has_a_hint() -> None:
    """Whatever is refused, something can be done about it."""
    assert set(HINTS) == set(Reason)


def test_records() -> None:
    """Values are plain JSON or typed; a sort key is a level more."""
    records = read_records(
        b'{"a": {"s": "x", "n": 1.50, "i": 7, "b": true, "l": ["y", "x"], "m": [10, 9.5],'
        b' "e": [], "x": null, "o": {"p": 1, "q": 2}, "t": {"S": "typed"}, "mixed": [1, "a"]},'
        b' "p": {"q": {"f": "g"}}, "empty": {}}'
    )

    assert records["a"].attributes == {
        "s": "x",
        "n": "1.5",
        "i": "7",
        "b": "true",
        "l": "x,y",
        "m": "9.5,10",
        "t": "typed",
    }
    assert records["p\x1fq"].attributes == {"f": "g"}
    assert records["empty"].attributes == {}


@pytest.mark.parametrize(
    "text", [b"[]", b'{"a": 1}', b"{", b'{"a": "\xff"}', b'{"a\\u001f": {"b": {}}}']
)
def test_no_records(text: bytes) -> None:
    """Anything else is refused."""
    with pytest.raises(NoRecords):
        read_records(text)

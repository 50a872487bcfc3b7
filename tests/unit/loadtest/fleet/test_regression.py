"""Two reports compared: what is chance, and what is not."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.fleet_report import report
from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.fleet.regression import compare_reports, rank_sum_probability


def saved(path: Path, **options: Any) -> Path:
    """A report in a file."""
    path.write_text(json.dumps(report(**options)))
    return path


def test_the_rank_sum_test_gives_published_values() -> None:
    """Values without any overlap, and a textbook's two samples."""
    assert rank_sum_probability([1.0] * 9, [1.0] * 9) == 1.0
    assert rank_sum_probability(range(10), range(10)) == pytest.approx(1.0, abs=0.03)
    # Exact for ten and ten without overlap: 2 of 184,756; the approximation is about 0.0002.
    assert rank_sum_probability(range(10), range(100, 110)) == pytest.approx(1.8e-4, rel=0.05)
    # U = 27.5 of 72 with ties: z = 0.77.
    first, second = [3, 5, 6, 7, 8, 9, 10, 12], [4, 5, 7, 9, 11, 12, 13, 14, 10]
    assert rank_sum_probability(first, second) == pytest.approx(0.25, abs=0.05)


def test_chance_is_not_significant() -> None:
    """Of a thousand pairs without any difference, about one in a hundred looks like one."""
    random = Random(1)  # noqa: S311 - a test that is the same every time
    wrong = sum(
        rank_sum_probability(
            [random.gauss(0, 1) for _ in range(20)], [random.gauss(0, 1) for _ in range(20)]
        )
        < 0.01
        for _ in range(1_000)
    )

    assert 1 <= wrong <= 25


def test_the_same_is_as_good(tmp_path: Path) -> None:
    """A report compared with itself has nothing worse and nothing better."""
    path = saved(tmp_path / "a.json")
    result = compare_reports(path, path)

    assert result.good
    assert not any(change.significant for change in result.changes)
    assert len(result.changes) == 7


def test_a_regression_shows_and_so_does_its_repair(tmp_path: Path) -> None:
    """What costs half as much again is worse, the other way round better, the rest the same."""
    fast, slow = saved(tmp_path / "a.json"), saved(tmp_path / "b.json", scale=1.5)
    worse, better = compare_reports(fast, slow), compare_reports(slow, fast)

    assert not worse.good
    assert better.good
    names = {"acknowledged after, p99 ms", "CPU of the service, us per message"}
    assert {change.name for change in worse.changes if change.worse} == names
    assert {change.name for change in better.changes if change.significant} == names


def test_a_difference_too_small_to_matter_is_none(tmp_path: Path) -> None:
    """Two percent are nothing to be alarmed about, however certain they are."""
    result = compare_reports(saved(tmp_path / "a.json"), saved(tmp_path / "b.json", scale=1.02))

    assert result.good


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [({}, 0, "better or as good"), ({"scale": 2.0}, 1, "worse"), ({"good": False}, 1, "not good")],
)
def test_the_command(tmp_path: Path, options: dict[str, Any], status: int, word: str) -> None:
    """Scripts read the exit status, people the table; a run that became wrong is worse."""
    before, after = saved(tmp_path / "a.json"), saved(tmp_path / "b.json", **options)
    result = CliRunner().invoke(app, ["compare", str(before), str(after)])

    assert (result.exit_code, word in result.output) == (status, True)


@pytest.mark.parametrize("content", ["", "[]", '{"good": true}'])
def test_no_report(tmp_path: Path, content: str) -> None:
    """Another file is wrong usage, and named."""
    other = tmp_path / "other.json"
    other.write_text(content)
    result = CliRunner().invoke(app, ["compare", str(other), str(other)])

    assert result.exit_code == 2
    assert "other.json" in result.output.replace("\n", "").replace("│", "").replace(" ", "")


def test_too_short_to_compare(tmp_path: Path) -> None:
    """Below eight seconds nothing can be said."""
    short = saved(tmp_path / "a.json", seconds=5)

    with pytest.raises(ValueError, match="too few seconds"):
        compare_reports(short, short)

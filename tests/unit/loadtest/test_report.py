"""The result of a run as scripts and people read it."""

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from loadtest.ledger.counts import Counts
from loadtest.report import Report, show_seconds


def report(counts: Counts) -> Report:
    """A report of a run of twenty seconds."""
    return Report(counts, 3, 20, 20.0004, 0.41234, 0.9)


def shown(counts: Counts) -> str:
    """The summary as text."""
    console = Console(file=StringIO(), width=80)
    console.print(report(counts).table())
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_json_file(tmp_path: Path) -> None:
    """The file has exactly the documented keys, in a folder that is made for it."""
    path = tmp_path / "build" / "demo.json"
    report(Counts(400, 399, 1, 2, 398, 0)).write(path)

    assert json.loads(path.read_text()) == {
        "sent": 400,
        "stored": 399,
        "missing": 1,
        "unexpected": 2,
        "dead_lettered": 0,
        "redelivered": 3,
        "devices": 20,
        "enriched": 398,
        "seconds": 20.0,
        "rate_per_s": 19.95,
        "lag_ms": {"p50": 412.3, "p99": 900.0},
    }


def test_a_run_without_readings() -> None:
    """Where nothing was seen there is no lag and no rate, and no crash."""
    empty = Report(Counts(0, 0, 0, 0, 0, 0), 0, 1, 0.0, None, None).as_dict()

    assert empty["lag_ms"] == {"p50": None, "p99": None}
    assert empty["rate_per_s"] == 0.0


def test_the_summary_says_whether_all_is_exact() -> None:
    """The title of the summary is the verdict."""
    assert "20 s: exact" in shown(Counts(400, 400, 0, 0, 400, 0))
    assert "20 s: not exact" in shown(Counts(400, 399, 1, 0, 399, 0))


def test_lags_are_shown_in_milliseconds() -> None:
    """A lag that is not known is a dash."""
    assert show_seconds(1.2345) == "1,234 ms"
    assert show_seconds(None) == "-"

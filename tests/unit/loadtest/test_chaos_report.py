"""What a chaos run came to."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.chaos.report import ChaosReport
from loadtest.ledger.counts import Counts

EXACT = ChaosReport(
    counts=Counts(sent=97, stored=97, missing=0, unexpected=0, enriched=97, dead_lettered=0),
    poison=3,
    poison_missing=0,
    poison_wrong=0,
    letters=4,
    redelivered=20,
    kills=2,
    terms=1,
    outages=3,
    faults={"sqs-reset": 2, "influxdb-drip": 1},
    not_applied=0,
    seed=7,
    schedule="0123",
    clean_stop_redeliveries=0,
    longest_stop_seconds=1.23456,
    max_rss_mb=101.23,
    devices=5,
    seconds=10.0,
)


def shown(report: ChaosReport) -> str:
    """Its table."""
    out = StringIO()
    Console(file=out, width=100).print(report.table())
    return out.getvalue()


def test_form() -> None:
    """The names that scripts rely on."""
    assert EXACT.as_dict() == {
        "sent": 100,
        "stored": 97,
        "missing": 0,
        "unexpected": 0,
        "dead_lettered": 3,
        "dead_letter_copies": 4,
        "wrong_reasons": 0,
        "redelivered": 20,
        "devices": 5,
        "enriched": 97,
        "seconds": 10.0,
        "rate_per_s": 9.7,
        "kills": 2,
        "terms": 1,
        "outages": 3,
        "faults": {"influxdb-drip": 1, "sqs-reset": 2},
        "faults_not_applied": 0,
        "seed": 7,
        "schedule": "0123",
        "clean_stop_redeliveries": 0,
        "longest_stop_seconds": 1.235,
        "dlq_good": 0,
        "max_rss_mb": 101.2,
    }


def test_written_and_shown(tmp_path: Path) -> None:
    """The file is the form; the table says that the run was exact."""
    path = tmp_path / "build" / "chaos.json"
    EXACT.write(path)

    assert json.loads(path.read_text()) == EXACT.as_dict()
    assert "10 s: exact" in shown(EXACT)
    assert replace(EXACT, seconds=0.0).as_dict()["rate_per_s"] == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"poison_missing": 1},
        {"poison_wrong": 1},
        {"clean_stop_redeliveries": 1},
        {"not_applied": 1},
        *(
            {"counts": replace(EXACT.counts, **{name: number})}
            for name, number in (
                ("stored", 96),
                ("missing", 1),
                ("unexpected", 1),
                ("enriched", 96),
                ("dead_lettered", 1),
            )
        ),
    ],
    ids=str,
)
def test_each_flaw_spoils_it(change: dict[str, Any]) -> None:
    """A run is exact only without any of these."""
    assert EXACT.exact
    flawed = replace(EXACT, **change)
    assert not flawed.exact
    assert "not exact" in shown(flawed)

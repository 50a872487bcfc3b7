"""The chaos run itself, short: kills, a clean stop, outages and every fault of the proxy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtest.chaos.schedule import fingerprint, make_schedule

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

MESSAGES = 3_000
SEED = 5


def test_a_short_run_is_exact(tmp_path: Path) -> None:
    """Every good message is stored once and every bad one explained, whatever went wrong."""
    path = tmp_path / "chaos.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "loadtest", "chaos", "--report", path),
            *("--messages", str(MESSAGES), "--seed", str(SEED)),
        ],
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(path.read_text())
    assert report["sent"] >= MESSAGES - MESSAGES // 20  # duplicates are sent twice, counted once
    assert report["stored"] == report["enriched"] == report["sent"] - report["dead_lettered"]
    for none in (
        *("missing", "unexpected", "wrong_reasons", "dlq_good"),
        *("clean_stop_redeliveries", "faults_not_applied"),
    ):
        assert report[none] == 0, none
    assert (report["kills"], report["terms"]) == (2, 1)
    assert report["outages"] >= 4  # more where faults of lease calls were left over
    assert report["redelivered"] > 0
    assert sum(report["faults"].values()) >= 57
    assert report["schedule"] == fingerprint(make_schedule(MESSAGES, SEED))
    assert "exact" in done.stdout
    assert "kill -9 for influxd" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

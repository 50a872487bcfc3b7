"""`loadtest soak`, short: whether the command works, not what it measures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


def test_a_short_soak_writes_its_report(tmp_path: Path) -> None:
    """Every second is in the report, with memory, lag and messages; the judgement is its status."""
    path = tmp_path / "soak.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "loadtest", "soak", "--report", path),
            *("--minutes", "0.1", "--peak-seconds", "1"),
        ],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert path.exists(), done.stdout + done.stderr
    report = json.loads(path.read_text())
    assert done.returncode == (0 if report["good"] else 1)
    assert report["seconds"] >= 6
    assert report["rate_per_s"] == pytest.approx(0.8 * report["peak_per_s"], rel=0.01)
    assert report["throughput_per_s"] > 0
    assert len(report["samples"]) > 1
    assert all(each["rss_mb"] > 10 for each in report["samples"])
    assert sum(each["deleted"] for each in report["samples"]) > 0
    assert "growth of memory" in done.stdout

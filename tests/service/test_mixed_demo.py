"""The demo with three kinds of devices on three topics: every reading is accounted for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.servers
@pytest.mark.usefixtures("found_influxd")
def test_three_kinds_at_once(tmp_path: Path) -> None:
    """JSON, CBOR arrays and SenML are all stored once, as sent and with all their metadata."""
    report = tmp_path / "demo.json"
    command = [
        *(sys.executable, "-m", "loadtest", "demo", "--kinds", "mixed"),
        *("--duration", "5", "--devices", "9", "--report", str(report)),
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(report.read_text())
    # Every third device sends two readings at a time.
    assert counts["sent"] > 9 * 3
    assert counts["sent"] == counts["stored"] == counts["enriched"]
    assert counts["missing"] == counts["unexpected"] == counts["dead_lettered"] == 0

"""A report of a bench, as far as pictures need it."""

import json
from collections.abc import Mapping
from pathlib import Path

FIGURES = {
    "whole_path": 40_000.0,
    "whole_path_tls": 30_000.0,
    "two_workers": 76_000.0,
    "aioboto3_receive_and_delete": 4_000.0,
    "seed_handler": 800.0,
    "cost_100_devices": 25.0,
    "cost_1000000_devices": 31.0,
    "lag_p50_at_10_percent": 300.0,
    "lag_p99_at_10_percent": 600.0,
    "lag_p50_at_50_percent": 310.0,
    "lag_p99_at_50_percent": 640.0,
}


def write(file: Path, figures: Mapping[str, float] = FIGURES) -> Path:
    """A report with these figures."""
    document = {
        "figures": [{"name": name, "value": value} for name, value in figures.items()],
        "machine": {"cores": 2, "cpu": "A <fast> one"},
    }
    file.write_text(json.dumps(document))
    return file

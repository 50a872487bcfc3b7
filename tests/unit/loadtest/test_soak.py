"""What a soak came to."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.soak.report import Sample, SoakReport


def soak(*, mb_per_hour: float = 0.0, lag_ms: float = 1.0, rate: float = 100.0) -> SoakReport:
    """Ten minutes: memory grows much at first, then steadily; a hundred messages a second."""
    samples = [
        Sample(
            second=float(n),
            rss_mb=100 + min(n, 200) / 10 + mb_per_hour * n / 3600,
            lag_ms=lag_ms,
            deleted=100 * n,
        )
        for n in range(601)
    ]
    return SoakReport(peak=125.0, rate=rate, samples=samples, machine={"cores": 2})


def test_only_the_second_half_tells_growth() -> None:
    """What a process takes while it starts is no growth; what it takes later is."""
    assert soak().slope_mb_per_hour == pytest.approx(0.0, abs=1e-6)
    assert soak(mb_per_hour=30).slope_mb_per_hour == pytest.approx(30.0)
    assert soak().good


@pytest.mark.parametrize("change", [{"mb_per_hour": 11}, {"lag_ms": 51}, {"rate": 104}], ids=str)
def test_each_flaw_spoils_it(change: dict[str, Any]) -> None:
    """Growth, a late loop or work left undone."""
    assert not soak(**change).good


def test_a_small_step_in_a_short_run_is_no_growth() -> None:
    """It is steep only because the run is short."""
    report = soak(mb_per_hour=30)

    assert replace(report, samples=report.samples[-200:]).good
    assert not report.good


def test_one_stall_in_a_thousand_looks_is_no_flaw() -> None:
    """The lag is judged by its p99."""
    report = soak()
    stalled = [replace(report.samples[0], lag_ms=400.0), *report.samples[1:]]

    assert replace(report, samples=stalled).lag_p99_ms == 1.0


def test_form(tmp_path: Path) -> None:
    """The file has the figures and every look, the table what is to be judged."""
    report = soak()
    path = tmp_path / "build" / "soak.json"
    report.write(path)

    written = json.loads(path.read_text())
    samples = written.pop("samples")
    assert written == {
        "seconds": 600.0,
        "peak_per_s": 125.0,
        "rate_per_s": 100.0,
        "throughput_per_s": 100.0,
        "rss_mb": {"first": 100.0, "mean": pytest.approx(116.7, abs=0.1), "max": 120, "last": 120},
        "rss_slope_mb_per_hour": 0.0,
        "loop_lag_p99_ms": 1.0,
        "good": True,
        "machine": {"cores": 2},
    }
    assert samples[:2] == [
        {"second": 0.0, "rss_mb": 100.0, "loop_lag_ms": 1.0, "deleted": 0},
        {"second": 1.0, "rss_mb": 100.1, "loop_lag_ms": 1.0, "deleted": 100},
    ]
    out = StringIO()
    Console(file=out, width=100).print(report.table())
    assert "100 of 100 messages/s" in out.getvalue()


def test_a_single_look() -> None:
    """A run that was too short to tell anything has figures all the same."""
    report = replace(soak(), samples=[Sample(0.0, 100.0, 1.0, 0)])

    assert (report.slope_mb_per_hour, report.throughput) == (0.0, 0.0)
    assert report.as_dict()["seconds"] == 0.0

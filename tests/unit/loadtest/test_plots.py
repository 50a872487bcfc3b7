"""Pictures from the figures of a bench."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.bench_figures import FIGURES, write
from typer.testing import CliRunner

from loadtest.bench.plots import NoFiguresError, draw_all
from loadtest.cli import app


def texts(file: Path) -> list[str]:
    """What can be read in a picture."""
    return [each.text or "" for each in ET.parse(file).iter() if each.tag.endswith("text")]  # noqa: S314 - our own file


def heights(file: Path) -> list[float]:
    """How tall its bars are."""
    bars = [each for each in ET.parse(file).iter() if each.get("fill-opacity") == "0.85"]  # noqa: S314 - our own file
    return [float(each.get("height", "0")) for each in bars]


def test_three_pictures(tmp_path: Path) -> None:
    """Rate by cores, cost by fleet, lag by load: each figure is a bar with its value."""
    files = draw_all(write(tmp_path / "bench.json", FIGURES), tmp_path / "pictures")
    assert [file.name for file in files] == ["bench-rate.svg", "bench-cost.svg", "bench-lag.svg"]
    rate, cost, lag = map(texts, files)
    assert {"40,000", "30,000", "76,000", "4,000", "800", "1 core", "2 cores"} <= set(rate)
    assert "2 cores of A <fast> one" in rate
    assert {"25", "31", "100", "1,000,000"} <= set(cost)
    assert {"300", "640", "10 % of peak", "50 % of peak", "p50", "p99"} <= set(lag)


def test_bars_are_to_scale(tmp_path: Path) -> None:
    """Half as much is half as tall."""
    figures = {"cost_100_devices": 20.0, "cost_10000_devices": 40.0}
    (file,) = draw_all(write(tmp_path / "bench.json", figures), tmp_path)
    first, second = heights(file)
    assert second == pytest.approx(2 * first, abs=0.2)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"figures": [], "machine": {}}'])
def test_without_figures_it_says_what_to_do(tmp_path: Path, content: str | None) -> None:
    """A report that is missing, broken or empty."""
    report = tmp_path / "bench.json"
    if content is not None:
        report.write_text(content)
    with pytest.raises(NoFiguresError, match="make bench"):
        draw_all(report, tmp_path)
    with pytest.raises(NoFiguresError, match="no figures"):
        draw_all(write(report, {"idle_cpu": 0.01}), tmp_path)


def test_the_command(tmp_path: Path) -> None:
    """It names the files that it writes; without a report it fails."""
    report = tmp_path / "bench.json"
    command = ["plot", "--report", str(report), "--folder", str(tmp_path)]
    assert CliRunner().invoke(app, command).exit_code == 1
    write(report, FIGURES)
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert "bench-lag.svg" in result.output.replace("\n", "")

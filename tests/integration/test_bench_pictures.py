"""The pictures of a bench as PNG, drawn by a real browser."""

import struct
from pathlib import Path

import pytest
from support.bench_figures import write
from typer.testing import CliRunner

from loadtest.bench.plots import HEIGHT, PNG_SCALE, WIDTH
from loadtest.cli import app

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]


def test_each_picture_is_a_png_of_its_own_size(tmp_path: Path) -> None:
    """As large as the drawing, times the scale: nothing of the window around it."""
    report = write(tmp_path / "bench.json")

    done = CliRunner().invoke(
        app, ["plot", "--png", "--report", str(report), "--folder", str(tmp_path)]
    )

    assert done.exit_code == 0, done.output
    for name in ("rate", "cost", "lag"):
        content = (tmp_path / f"bench-{name}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">II", content[16:24]) == (WIDTH * PNG_SCALE, HEIGHT * PNG_SCALE)
        assert len(content) > 10_000  # not an empty sheet

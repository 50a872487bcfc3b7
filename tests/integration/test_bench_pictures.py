"""The pictures of a bench as PNG, drawn by a real browser."""

import asyncio
import struct
from pathlib import Path

import pytest
from support.bench_figures import write
from typer.testing import CliRunner

from loadtest.bench.plots import HEIGHT, PNG_SCALE, WIDTH
from loadtest.chromium import find_chromium
from loadtest.cli import app
from loadtest.servers.chromium import Chromium

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]


async def place(picture: Path) -> list[float]:
    """Where a browser draws it: left, top, width, height."""
    async with (
        Chromium(find_chromium()) as browser,
        browser.visit(picture.as_uri()) as page,
    ):
        drawn: list[float] = await page.evaluate(
            "(({x, y, width, height}) => [x, y, width, height])"
            "(document.documentElement.getBoundingClientRect())"
        )
        return drawn


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
        assert asyncio.run(place(tmp_path / f"bench-{name}.svg")) == [0, 0, WIDTH, HEIGHT]

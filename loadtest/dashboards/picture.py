"""A dashboard as a picture (SVG): its panels in their places, each with what it would show."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from loadtest.dashboards.results import Series
from loadtest.dashboards.shapes import BODIES
from loadtest.dashboards.svg import PALE, Box, text

_COLUMN, _ROW, _GAP, _MARGIN, _HEAD = 50, 34, 8, 12, 46
_COLUMNS = 24

Json = Mapping[str, Any]


def draw(board: Json, series: Mapping[int, Sequence[Series]], note: str) -> str:
    """The whole picture; `series` by the panels' ids, `note` below the title."""
    width = _COLUMNS * _COLUMN + 2 * _MARGIN
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    height = rows * _ROW + _HEAD + _MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">',
        f"<title>{escape(board['title'])}</title>",
        f'<rect width="{width}" height="{height}" fill="#f1f3f7"/>',
        text(_MARGIN, 22, board["title"], size=18, weight="bold"),
        text(_MARGIN, 39, note, color=PALE),
    ]
    for panel in board["panels"]:
        parts += _panel(panel, series[panel["id"]])
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Json, series: Sequence[Series]) -> list[str]:
    grid = panel["gridPos"]
    x, y = grid["x"] * _COLUMN + _MARGIN, grid["y"] * _ROW + _HEAD
    width, height = grid["w"] * _COLUMN - _GAP, grid["h"] * _ROW - _GAP
    body = Box(x + 12, y + 30, width - 24, height - 40)
    place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return [
        f'<rect {place} rx="4" fill="#fff" stroke="#d8dde6"/>',
        text(x + 12, y + 20, panel["title"], size=13, weight="600"),
        *BODIES[panel["type"]](panel, series, body),
    ]

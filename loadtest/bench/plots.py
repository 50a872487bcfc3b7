"""Pictures of a bench: rate by cores, cost by fleet, lag by load, from its JSON to SVG."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from loadtest.dashboards.svg import COLORS, LINE, PALE, Box, rect, text

WIDTH, HEIGHT, MARGIN, HEAD = 640, 320, 16, 48
PNG_SCALE = 2
"""Pixels of a PNG for one of the picture, for screens that show more of them."""
_PLAIN, _ROUND = 100, 1000


class NoFiguresError(Exception):
    """There is nothing to draw; the text says what to do."""


@dataclass(slots=True, frozen=True)
class Chart:
    """Groups of bars. `series` names the bars of every group; a group may lack some (None)."""

    name: str
    title: str
    unit: str
    groups: Sequence[str]
    series: Mapping[str, Sequence[float | None]]


def draw_all(report: Path, folder: Path) -> list[Path]:
    """Draw what the report has figures for, as `bench-….svg`; returns the files.

    Raises:
        NoFiguresError: when it is not there, cannot be read, or has none of them.
    """
    try:
        document = json.loads(report.read_text())
        values = {each["name"]: float(each["value"]) for each in document["figures"]}
        note = f"{document['machine']['cores']} cores of {document['machine']['cpu']}"
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise NoFiguresError(f"{report} cannot be read: `make bench` writes it") from exc
    made = []
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts(values):
        file = folder / f"bench-{chart.name}.svg"
        file.write_text(draw(chart, note))
        made.append(file)
    if not made:
        raise NoFiguresError(f"{report} has no figures to draw: `make bench` writes them")
    return made


def charts(values: Mapping[str, float]) -> list[Chart]:
    """The pictures that these figures are enough for."""
    fleets = [n for n in (10**k for k in range(2, 8)) if f"cost_{n}_devices" in values]
    loads = [n for n in range(1, 100) if f"lag_p50_at_{n}_percent" in values]
    made = [
        Chart(
            "rate",
            "Messages a second by cores, servers not counted",
            "messages/s",
            ("1 core", "2 cores"),
            {
                "2020 handler": (values.get("seed_handler"), None),
                "aioboto3, receive and delete alone": (
                    values.get("aioboto3_receive_and_delete"),
                    None,
                ),
                "ingestor, TLS": (values.get("whole_path_tls"), None),
                "ingestor": (values.get("whole_path"), values.get("two_workers")),
            },
        ),
        Chart(
            "cost",
            "CPU of a message by devices with a record in memory",
            "µs",
            [f"{n:,}" for n in fleets],
            {"ingestor": [values.get(f"cost_{n}_devices") for n in fleets]},
        ),
        Chart(
            "lag",
            "From the queue to InfluxDB, by load",
            "ms",
            [f"{n} % of peak" for n in loads],
            {
                quantile: [values.get(f"lag_{quantile}_at_{n}_percent") for n in loads]
                for quantile in ("p50", "p99")
            },
        ),
    ]
    return [
        chart
        for chart in made
        if any(value is not None for bars in chart.series.values() for value in bars)
    ]


def draw(chart: Chart, note: str) -> str:
    """The picture; `note` stands below its title."""
    plot = Box(MARGIN, HEAD + 20, WIDTH - 2 * MARGIN, HEIGHT - HEAD - 20 - 3 * LINE)
    most = max(value for bars in chart.series.values() for value in bars if value is not None)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">',
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(MARGIN, 22, f"{chart.title} ({chart.unit})", size=15, weight="600"),
        text(MARGIN, 40, note, size=11, color=PALE),
        rect(Box(plot.x, plot.y + plot.height, plot.width, 1), PALE),
    ]
    room = plot.width / len(chart.groups)
    for n, group in enumerate(chart.groups):
        bars = [
            (color, bars[n])
            for color, bars in zip(COLORS, chart.series.values(), strict=False)
            if bars[n] is not None
        ]
        width = min(70.0, room * 0.8 / max(1, len(bars)))
        left = plot.x + room * (n + 0.5) - width * len(bars) / 2
        for k, (color, value) in enumerate(bars):
            tall = plot.height * (value or 0.0) / (most or 1.0)
            bar = Box(left + k * width, plot.y + plot.height - tall, width - 4, tall)
            parts.append(rect(bar, color, 0.85))
            middle = bar.x + bar.width / 2
            parts.append(text(middle, bar.y - 5, _shown(value), size=11, anchor="middle"))
        middle = plot.x + room * (n + 0.5)
        parts.append(text(middle, plot.y + plot.height + LINE, group, anchor="middle"))
    parts += _legend(list(chart.series), HEIGHT - 10)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(names: Sequence[str], y: float) -> list[str]:
    if len(names) == 1:
        return []
    parts, x = [], float(MARGIN)
    for color, name in zip(COLORS, names, strict=False):
        parts += [rect(Box(x, y - 8, 10, 8), color, 0.85), text(x + 14, y, name, size=11)]
        x += 34 + len(name) * 6
    return parts


def _shown(value: Any) -> str:
    if value >= _ROUND:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= _PLAIN else f"{value:.3g}"

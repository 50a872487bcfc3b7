"""Curves over time as SVG elements."""

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.dashboards.results import Series
from loadtest.dashboards.svg import CHARACTER, COLORS, LINE, PALE, Box, cut, rect, text
from loadtest.dashboards.units import shown

_LEGEND_ROWS = 2

Json = Mapping[str, Any]


def curves(panel: Json, series: Sequence[Series], box: Box) -> list[str]:
    """A curve for each series, filled or stacked as the panel says, and a legend."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    lines = _lines(panel, series)
    points = [point for line in lines.values() for point in line]
    if not points:
        return [text(box.x, box.y + 20, "no data", color=PALE)]
    legend = _legend([each.name for each in series], box)
    plot = Box(box.x + 52, box.y + 4, box.width - 56, box.height - LINE * len(legend) - 10)
    times, values = [point[0] for point in points], [point[1] for point in points]
    # Zero belongs to the picture unless everything is far from it.
    low, high = min(0.0, *values) if min(values) < max(values) / 3 else min(values), max(values)
    high += (high - low) * 0.05 or 1.0
    across = plot.width / ((max(times) - min(times)) or 1)

    def path(line: Sequence[tuple[float, float]]) -> str:
        return "L".join(
            f"{plot.x + (time - min(times)) * across:.1f} "
            f"{plot.y + (high - value) / (high - low) * plot.height:.1f}"
            for time, value in line
        )

    parts = []
    for n in range(5):
        y = plot.y + plot.height * n / 4
        parts.append(
            f'<path d="M{plot.x:.0f} {y:.0f}h{plot.width:.0f}" stroke="#e6e9ef" fill="none"/>'
        )
        mark = shown(high - (high - low) * n / 4, unit)
        parts.append(text(plot.x - 6, y + 4, mark, size=10, color=PALE, anchor="end"))
    bands = _bands(panel)
    for upper, lower in bands.items():
        area = [*lines[upper], *reversed(lines[lower])]
        parts.append(f'<path d="M{path(area)}Z" fill="{COLORS[0]}" fill-opacity="0.2"/>')
    for n, (name, line) in enumerate(lines.items()):
        if line and name not in {*bands, *bands.values()}:
            color = COLORS[n % len(COLORS)]
            parts.append(
                f'<path d="M{path(line)}" fill="none" stroke="{color}" stroke-width="1.4"/>'
            )
    return parts + [part for row in legend for part in row]


def _lines(panel: Json, series: Sequence[Series]) -> dict[str, list[tuple[float, float]]]:
    """The points of every series by its name, on top of one another where the panel stacks."""
    stacked = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    below: dict[float, float] = {}
    lines: dict[str, list[tuple[float, float]]] = {}
    for each in series:
        line = lines.setdefault(each.name, [])
        for time, value in each.rows:
            if value is not None:
                base = below.get(time, 0.0) if stacked else 0.0
                line.append((time, base + value))
                below[time] = base + value
    return lines


def _bands(panel: Json) -> dict[str, str]:
    """Which series is filled down to which."""
    return {
        override["matcher"]["options"]: setting["value"]
        for override in panel["fieldConfig"]["overrides"]
        for setting in override["properties"]
        if setting["id"] == "custom.fillBelowTo"
    }


def _legend(names: Sequence[str], box: Box) -> list[list[str]]:
    """Rows of marks and names from the bottom of the box; what does not fit is counted."""
    rows: list[list[tuple[int, str]]] = [[]]
    x = 0.0
    for n, name in enumerate(names):
        label = cut(name, 150)
        width = 30 + len(label) * CHARACTER
        # On the last row there must be room left to say how many more there are.
        room = box.width - (90 if len(rows) == _LEGEND_ROWS else 0)
        if x + width > room and rows[-1]:
            if len(rows) == _LEGEND_ROWS:
                rows[-1].append((-1, f"and {len(names) - n} more"))
                break
            rows.append([])
            x = 0.0
        rows[-1].append((n, label))
        x += width
    drawn = []
    for number, row in enumerate(rows):
        x, y = box.x, box.y + box.height - LINE * (len(rows) - number - 1)
        parts = []
        for n, label in row:
            if n >= 0:
                parts.append(rect(Box(x, y - 6, 12, 4), COLORS[n % len(COLORS)]))
            parts.append(text(x + 16, y, label, size=11))
            x += 30 + len(label) * CHARACTER
        drawn.append(parts)
    return drawn

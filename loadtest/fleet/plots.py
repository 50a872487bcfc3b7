"""Plots over the time of a run, as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from loadtest.dashboards.svg import CHARACTER, COLORS, PALE, Box, rect, text

WIDTH, HEIGHT = 920, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 40, 24
_GRID = 4

Row = Mapping[str, Any]


@dataclass(slots=True, frozen=True)
class Plot:
    """A picture with one curve for each of `columns`, which are keys of rows and their names."""

    title: str
    columns: Mapping[str, str]


PLOTS = (
    Plot(
        "Messages per second",
        {
            "planned_per_s": "planned",
            "sent_per_s": "sent",
            "acknowledged_per_s": "acknowledged",
            "stored_per_s": "stored",
        },
    ),
    Plot(
        "Milliseconds from due to readable, sample of devices",
        {"lag_p50_ms": "p50", "lag_p99_ms": "p99"},
    ),
    Plot(
        "Milliseconds from due to acknowledged",
        {
            "acknowledge_p50_ms": "p50",
            "acknowledge_p99_ms": "p99",
            "lateness_p99_ms": "sent late, p99",
        },
    ),
    Plot("Messages in the queue", {"waiting": "waiting", "in_flight": "in flight"}),
    Plot("Memory, MB", {"service_rss_mb": "service", "generator_rss_mb": "generator"}),
    Plot("CPU of the service, microseconds per message", {"service_us_per_message": "service"}),
)
"""What a report shows, in this order."""


def draw(plot: Plot, rows: Sequence[Row], marks: Sequence[tuple[float, str]]) -> str:
    """The picture; empty when no row has any of its values."""
    lines = {
        name: [(row["second"], row[column]) for row in rows if row.get(column) is not None]
        for column, name in plot.columns.items()
    }
    points = [point for line in lines.values() for point in line]
    if not any(value for _, value in points):
        return ""
    box = Box(_LEFT, _TOP, WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM)
    last = max(at for at, _ in points) or 1.0
    high = round_up(max(value for _, value in points))

    def place(at: float, value: float) -> str:
        return (
            f"{box.x + at / last * box.width:.1f} "
            f"{box.y + box.height - value / high * box.height:.1f}"
        )

    parts = [text(0, 14, plot.title, size=13, weight="bold")]
    for number in range(_GRID + 1):
        y = box.y + box.height * number / _GRID
        parts.append(f'<path d="M{box.x} {y:.0f}h{box.width}" stroke="#e6e9ef" fill="none"/>')
        value = high * (1 - number / _GRID)
        parts.append(text(box.x - 6, y + 4, _short(value), size=10, color=PALE, anchor="end"))
        at = last * number / _GRID
        x = box.x + at / last * box.width
        anchor = "end" if number == _GRID else "middle"
        parts.append(text(x, HEIGHT - 6, f"{at:.0f} s", size=10, color=PALE, anchor=anchor))
    for at, word in marks:
        if at <= last:
            x = box.x + at / last * box.width
            parts.append(
                f'<path class="mark" d="M{x:.1f} {box.y}v{box.height}" stroke="#d44a3a" '
                'stroke-dasharray="3 3" fill="none"/>'
            )
            parts.append(text(x + 3, box.y + 9, word, size=10, color="#d44a3a"))
    x = float(box.x)
    for number, (name, line) in enumerate(lines.items()):
        if not line:
            continue
        color = COLORS[number % len(COLORS)]
        path = "L".join(place(at, value) for at, value in line)
        parts.append(
            f'<path class="curve" d="M{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        )
        parts.append(rect(Box(x, 24, 12, 4), color))
        parts.append(text(x + 16, 30, name, size=11))
        x += 36 + len(name) * CHARACTER
    label = f'role="img" aria-label="{plot.title}"'
    return (
        f'<svg {label} viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif">'
        f"{''.join(parts)}</svg>"
    )


def round_up(value: float) -> float:
    """The top of an axis: the least one above it whose quarters are numbers that people read."""
    step = 10.0 ** floor(log10(value / _GRID))
    return next(
        step * n * _GRID for n in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10) if step * n * _GRID >= value
    )


def _short(value: float) -> str:
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"

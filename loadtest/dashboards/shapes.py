"""The bodies of panels as SVG elements: figures, bars, tables, heat maps."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loadtest.dashboards.curves import curves
from loadtest.dashboards.results import Series
from loadtest.dashboards.svg import CHARACTER, COLORS, LINE, PALE, Box, cut, rect, text
from loadtest.dashboards.units import shown

_NAMED = {"green": "#299c46", "orange": "#e0752d", "red": "#d44a3a", "blue": "#3274d9"}
_MOST_BUCKETS = 20

Json = Mapping[str, Any]


def _unit(panel: Json) -> str:
    """The unit of a panel's figures."""
    unit: str = panel["fieldConfig"]["defaults"]["unit"]
    return unit


def _threshold(panel: Json, value: float) -> str:
    color = "green"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    return _NAMED[color]


def _stat(panel: Json, series: Sequence[Series], box: Box) -> list[str]:
    is_mean = panel["options"]["reduceOptions"]["calcs"] == ["mean"]
    parts = []
    for n, each in enumerate(series):
        values = [row[1] for row in each.rows if row[1] is not None]
        value = sum(values) / len(values) if is_mean else values[-1]
        mappings = panel["fieldConfig"]["defaults"].get("mappings", [{"options": {}}])
        named = mappings[0]["options"].get(f"{value:g}", {}).get("text")
        middle = box.x + box.width * (n + 0.5) / len(series)
        color = _threshold(panel, value)
        size = 30 if len(series) == 1 else 20
        words = named or shown(value, _unit(panel))
        parts.append(
            text(middle, box.y + 50, words, size=size, weight="600", color=color, anchor="middle")
        )
        if len(series) > 1:
            parts.append(text(middle, box.y + 72, each.name, size=10, color=PALE, anchor="middle"))
    return parts


def _bars(panel: Json, series: Sequence[Series], box: Box) -> list[str]:
    values = [(each.name, each.last or 0.0) for each in series]
    most = max(value for _, value in values)
    height = min(26.0, box.height / len(values))
    parts = []
    for n, (name, value) in enumerate(values):
        y = box.y + n * height
        length = (box.width - 210) * value / most
        parts.append(text(box.x, y + height / 2 + 4, cut(name, 165), size=11))
        parts.append(rect(Box(box.x + 170, y + 3, length, height - 6), COLORS[0], 0.8))
        words = shown(value, _unit(panel))
        parts.append(text(box.x + box.width, y + height / 2 + 4, words, anchor="end"))
    return parts


def _heatmap(_: Json, series: Sequence[Series], box: Box) -> list[str]:
    times = sorted({row[0] for each in series for row in each.rows})
    most = max(row[1] or 0 for each in series for row in each.rows) or 1
    width, height = (box.width - 120) / len(times), box.height / len(series)
    place = {time: n for n, time in enumerate(times)}
    parts = []
    for n, each in enumerate(series):
        label = cut(each.name, 115)
        parts.append(text(box.x, box.y + (n + 0.5) * height + 4, label, size=11))
        for time, value in each.rows:
            cell = Box(
                box.x + 120 + place[time] * width, box.y + n * height, width - 0.5, height - 1
            )
            parts.append(rect(cell, COLORS[0], (value or 0) / most))
    return parts


def _histogram(panel: Json, series: Sequence[Series], box: Box) -> list[str]:
    values = [row[1] for each in series for row in each.rows if row[1] is not None]
    low, size = min(values), ((max(values) - min(values)) or 1) / _MOST_BUCKETS
    counts = Counter(min(int((value - low) / size), _MOST_BUCKETS - 1) for value in values)
    width, height = box.width / _MOST_BUCKETS, box.height - LINE
    parts = []
    for bucket, count in sorted(counts.items()):
        tall = height * count / max(counts.values())
        bar = Box(box.x + bucket * width, box.y + height - tall, width - 2, tall)
        parts.append(rect(bar, COLORS[0], 0.8))
    bottom = box.y + box.height
    parts.append(text(box.x, bottom, shown(low, _unit(panel)), size=11))
    parts.append(
        text(box.x + box.width, bottom, shown(max(values), _unit(panel)), size=11, anchor="end")
    )
    return parts


def _table(panel: Json, series: Sequence[Series], box: Box) -> list[str]:
    renamed, units, hidden = _overrides(panel)
    rows = [
        {**dict(zip(each.columns, row, strict=True)), **each.tags}
        for each in series
        for row in each.rows
    ]
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name]
    columns = [name for name in columns if name not in hidden]
    renamed_back = {label: name for name, label in renamed.items()}
    for sort in panel["options"].get("sortBy", []):
        column = renamed_back.get(sort["displayName"], sort["displayName"])
        rows.sort(key=lambda row: row[column], reverse=sort["desc"])
    newest = max(row["time"] for row in rows)
    width = box.width / len(columns)
    parts = []
    for n, column in enumerate(columns):
        x = box.x + n * width
        title = cut(renamed.get(column, column), width - CHARACTER)
        parts.append(text(x, box.y + 8, title, size=11, weight="600", color=PALE))
        for line, row in enumerate(rows[: int((box.height - 12) / LINE)]):
            value = row[column]
            if column == "time":
                cell = f"{(newest - value) / 1000:.0f} s ago"
            elif isinstance(value, int | float):
                cell = shown(value, units.get(column, _unit(panel)))
            else:
                cell = str(value or "")
            cell = cut(cell, width - CHARACTER)
            parts.append(text(x, box.y + 26 + line * LINE, cell, size=11))
    return parts


def _overrides(panel: Json) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Other names and units of columns, and those that are not shown."""
    renamed, units, hidden = {}, {}, set()
    for override in panel["fieldConfig"]["overrides"]:
        name = override["matcher"]["options"]
        column = "time" if name == "Time" else name
        for setting in override["properties"]:
            match setting["id"]:
                case "displayName":
                    renamed[column] = setting["value"]
                case "unit":
                    units[column] = setting["value"]
                case "custom.hidden":
                    hidden.add(column)
    return renamed, units, hidden


BODIES: dict[str, Callable[[Json, Sequence[Series], Box], list[str]]] = {
    "stat": _stat,
    "timeseries": curves,
    "bargauge": _bars,
    "heatmap": _heatmap,
    "histogram": _histogram,
    "table": _table,
}

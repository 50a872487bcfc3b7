"""The figures of the bench, for scripts and for people."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

GOALS = {
    "vs_aioboto3_per_core": 12.0,
    "vs_seed_per_core": 80.0,
    "tls_over_plain": 0.6,
    "two_workers_over_one": 1.8,
    "cost_1m_over_100_devices": 1.5,
    "mapping_over_handwritten": 1.3,
    "rss_mb_per_100000_records": 150.0,
    "lag_p99_ms_at_50_percent": 1000.0,
    "idle_cores": 0.01,
}
"""What each ratio is to be: at least, or at most if it is one of those below."""
AT_MOST = frozenset(
    {
        "cost_1m_over_100_devices",
        "mapping_over_handwritten",
        "rss_mb_per_100000_records",
        "lag_p99_ms_at_50_percent",
        "idle_cores",
    }
)


@dataclass(slots=True, frozen=True)
class Figure:
    """One measured value; `per` says whether it holds for one core or for the run as it was."""

    name: str
    value: float
    unit: str
    per: Literal["core", "run"]


@dataclass(slots=True)
class BenchReport:
    """Everything that one run of the bench found; `warnings` say what not to believe."""

    machine: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, per: Literal["core", "run"]) -> None:
        """Note a figure."""
        self.figures.append(Figure(name, round(value, 4), unit, per))

    def ratio(self, name: str, value: float) -> None:
        """Note a ratio."""
        self.ratios[name] = round(value, 4)

    @property
    def good(self) -> bool:
        """Whether every ratio is as good as it is to be."""
        return all(reached(name, value) for name, value in self.ratios.items())

    def as_dict(self) -> dict[str, Any]:
        """The form that scripts read."""
        document = {
            "figures": [
                {"name": each.name, "value": each.value, "unit": each.unit, "per": each.per}
                for each in self.figures
            ],
            "ratios": [{"name": name, "value": value} for name, value in self.ratios.items()],
            "machine": self.machine,
        }
        return document | {"warnings": self.warnings} if self.warnings else document

    def write(self, path: Path) -> None:
        """Write the JSON file, with the folder that it belongs into."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def table(self) -> Table:
        """The summary for a terminal; a ratio that misses its goal is red."""
        table = Table(
            title=f"On {self.machine['cores']} cores of {self.machine['cpu']}",
            caption="\n".join(self.warnings) or None,
            caption_style="bold yellow",
        )
        for column in ("figure", "value", "unit"):
            table.add_column(column, justify="right" if column == "value" else "left")
        for each in self.figures:
            unit = f"{each.unit} per core" if each.per == "core" else each.unit
            table.add_row(each.name, f"{each.value:,.6g}", unit)
        table.add_section()
        for name, value in self.ratios.items():
            goal = GOALS.get(name)
            word = "at most" if name in AT_MOST else "at least"
            aim = "" if goal is None else f"{word} {goal:g}"
            table.add_row(name, f"{value:,.4g}", aim, style=None if reached(name, value) else "red")
        return table


def reached(name: str, value: float) -> bool:
    """Whether a ratio is as good as it is to be; one without a goal always is."""
    goal = GOALS.get(name)
    if goal is None:
        return True
    return value <= goal if name in AT_MOST else value >= goal

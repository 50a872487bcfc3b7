"""Two reports side by side: which figures differ by more than chance would make them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

SIGNIFICANT = 0.01
"""The probability of being wrong that is accepted, for all figures together."""

_LEAST_SECONDS = 8
_SMALLEST_CHANGE = 0.05
_BETTER_WHEN_HIGHER = frozenset({"acknowledged_per_s", "stored_per_s"})
FIGURES: Mapping[str, str] = {
    "acknowledged_per_s": "acknowledged per second",
    "stored_per_s": "stored per second",
    "acknowledge_p99_ms": "acknowledged after, p99 ms",
    "lag_p50_ms": "readable after, p50 ms",
    "lag_p99_ms": "readable after, p99 ms",
    "service_us_per_message": "CPU of the service, us per message",
    "service_rss_mb": "memory of the service, MB",
}
"""The columns that are compared, by what they are called."""


@dataclass(slots=True, frozen=True)
class Change:
    """One figure in two reports; `probability` is that of chance alone making such a difference."""

    name: str
    before: float
    after: float
    probability: float
    higher_is_better: bool

    @property
    def ratio(self) -> float:
        """After over before."""
        return self.after / self.before if self.before else float("inf")

    @property
    def significant(self) -> bool:
        """Whether it is more than chance, and large enough to matter."""
        return (
            self.probability < SIGNIFICANT / len(FIGURES)
            and abs(self.ratio - 1) >= _SMALLEST_CHANGE
        )

    @property
    def worse(self) -> bool:
        """Whether it is a regression."""
        return self.significant and (self.after < self.before) == self.higher_is_better


@dataclass(slots=True, frozen=True)
class Regression:
    """What changed from one report to another."""

    changes: Sequence[Change]
    became_wrong: bool

    @property
    def good(self) -> bool:
        """Whether nothing has become worse."""
        return not self.became_wrong and not any(change.worse for change in self.changes)

    def table(self) -> Table:
        """For a terminal: what became worse is red, what became better green."""
        table = Table(title="better or as good" if self.good else "[red]worse[/red]")
        for header in ("figure", "before", "after", "ratio", "chance", ""):
            table.add_column(header, justify="left" if header == "figure" else "right")
        for change in self.changes:
            word = "worse" if change.worse else "better" if change.significant else "same"
            style = {"worse": "red", "better": "green"}.get(word)
            table.add_row(
                change.name,
                f"{change.before:,.1f}",
                f"{change.after:,.1f}",
                f"{change.ratio:.2f}",
                f"{change.probability:.2g}",
                word,
                style=style,
            )
        if self.became_wrong:
            table.add_row("verdict", "good", "not good", "", "", "worse", style="red")
        return table


def compare_reports(before: Path, after: Path) -> Regression:
    """Compare two files that `loadtest fleet` has written; ValueError when they are no such."""
    reports = [_read(path) for path in (before, after)]
    series = [_sending(report) for report in reports]
    changes = []
    for column, name in FIGURES.items():
        values = [[row[column] for row in rows if row.get(column) is not None] for rows in series]
        if min(map(len, values)) < _LEAST_SECONDS:
            continue
        first, second = values
        changes.append(
            Change(
                name,
                median(first),
                median(second),
                rank_sum_probability(_thinned(first), _thinned(second)),
                column in _BETTER_WHEN_HIGHER,
            )
        )
    if not changes:
        raise ValueError(f"{before} and {after} have too few seconds to be compared")
    return Regression(changes, bool(reports[0]["good"]) and not reports[1]["good"])


def rank_sum_probability(first: Sequence[float], second: Sequence[float]) -> float:
    """How probable such a difference is if there is none: the rank sum test of Mann and Whitney.

    Two-sided, by the normal approximation with correction for ties, which needs eight values of
    each. It asks nothing of how the values are distributed.
    """
    n, m = len(first), len(second)
    ordered = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = 0.0
    ties = 0
    start = 0
    while start < len(ordered):
        stop = start
        while stop < len(ordered) and ordered[stop][0] == ordered[start][0]:
            stop += 1
        count = stop - start
        ties += count**3 - count
        ranks += sum(1 - of for _, of in ordered[start:stop]) * (start + stop + 1) / 2
        start = stop
    total = n + m
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = max(0.0, abs(ranks - n * (total + 1) / 2) - 0.5)
    return erfc(distance / sqrt(2 * variance))


def _thinned(values: Sequence[float]) -> list[float]:
    """Medians of three seconds each, as long as there are enough: neighbours resemble each other.

    Taken one by one, seconds that depend on each other would seem more certain than they are.
    """
    thinned = [median(values[n : n + 3]) for n in range(0, len(values) - 2, 3)]
    return thinned if len(thinned) >= _LEAST_SECONDS else list(values)


def _sending(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The seconds in which there was something to send, without the first, in which all starts."""
    rows = [row for row in report["series"] if row["doing"] == "sending"]
    return rows[1:]


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ValueError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(report, dict) or not {"good", "series"} <= report.keys():
        raise ValueError(f"{path} is no report of `loadtest fleet`")
    return report

"""What a soak came to: second by second, and whether anything grew."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, linear_regression
from typing import Any

from rich.table import Table

from loadtest.durations import quantile

MOST_SLOPE_MB_PER_HOUR = 10.0
"""Of the resident memory, over the second half: what fifteen minutes can tell from nothing."""
NO_GROWTH_MB = 0.9
"""Less than this, over the second half, is none: of a few minutes a step would be a steep slope."""
MOST_LAG_MS = 50.0
LEAST_SHARE_DONE = 0.97
"""Of the messages that were to come, those that were deleted: less means that it fell behind."""

_SECONDS_PER_HOUR = 3600


@dataclass(slots=True, frozen=True)
class Sample:
    """One look. `deleted` counts from the start; `lag_ms` is the worst of the last ten seconds."""

    second: float
    rss_mb: float
    lag_ms: float
    deleted: int


@dataclass(slots=True, frozen=True)
class SoakReport:
    """`rate` is what was asked for, a share of `peak`; both in messages a second."""

    peak: float
    rate: float
    samples: list[Sample]
    machine: dict[str, Any]

    @property
    def throughput(self) -> float:
        """Messages a second that were deleted, from the first look to the last."""
        first, last = self.samples[0], self.samples[-1]
        seconds = last.second - first.second
        return (last.deleted - first.deleted) / seconds if seconds else 0.0

    @property
    def slope_mb_per_hour(self) -> float:
        """Of the resident memory, by least squares over the second half."""
        half = self._second_half
        if len(half) < 2:  # noqa: PLR2004 - a line needs two points
            return 0.0
        slope = linear_regression([x.second for x in half], [x.rss_mb for x in half]).slope
        return slope * _SECONDS_PER_HOUR

    @property
    def grows(self) -> bool:
        """Whether memory grows steeply, and by more than a step."""
        half = self._second_half
        hours = (half[-1].second - half[0].second) / _SECONDS_PER_HOUR
        slope = self.slope_mb_per_hour
        return slope > MOST_SLOPE_MB_PER_HOUR and slope * hours > NO_GROWTH_MB

    @property
    def _second_half(self) -> list[Sample]:
        return self.samples[len(self.samples) // 2 :]

    @property
    def lag_p99_ms(self) -> float:
        """Of the event loop's lag; an upper bound, because each stall is seen for ten seconds."""
        return quantile((each.lag_ms for each in self.samples), 0.99) or 0.0

    @property
    def good(self) -> bool:
        """Whether memory is flat, the loop is never late, and the work got done."""
        return (
            not self.grows
            and self.lag_p99_ms <= MOST_LAG_MS
            and self.throughput >= LEAST_SHARE_DONE * self.rate
        )

    def as_dict(self) -> dict[str, Any]:
        """The form that scripts read."""
        memory = [each.rss_mb for each in self.samples]
        before = [self.samples[0], *self.samples]
        return {
            "seconds": round(self.samples[-1].second, 1),
            "peak_per_s": round(self.peak, 1),
            "rate_per_s": round(self.rate, 1),
            "throughput_per_s": round(self.throughput, 1),
            "rss_mb": {
                "first": round(memory[0], 1),
                "mean": round(fmean(memory), 1),
                "max": round(max(memory), 1),
                "last": round(memory[-1], 1),
            },
            "rss_slope_mb_per_hour": round(self.slope_mb_per_hour, 2),
            "loop_lag_p99_ms": round(self.lag_p99_ms, 2),
            "good": self.good,
            "machine": self.machine,
            "samples": [
                {
                    "second": round(each.second, 1),
                    "rss_mb": round(each.rss_mb, 1),
                    "loop_lag_ms": round(each.lag_ms, 2),
                    "deleted": each.deleted - last.deleted,
                }
                for last, each in zip(before, self.samples, strict=False)
            ],
        }

    def write(self, path: Path) -> None:
        """Write the JSON file, with the folder that it belongs into."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def table(self) -> Table:
        """The summary for a terminal; what misses its goal is red."""
        table = Table(title=f"soak, {self.samples[-1].second:.0f} s", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        table.add_row("peak before", f"{self.peak:,.0f} messages/s")
        flaw = self.throughput < LEAST_SHARE_DONE * self.rate
        table.add_row(
            "done, of what was asked for",
            f"{self.throughput:,.0f} of {self.rate:,.0f} messages/s",
            style="red" if flaw else None,
        )
        for name, value, most, unit, flaw in (
            (
                "growth of memory",
                self.slope_mb_per_hour,
                MOST_SLOPE_MB_PER_HOUR,
                "MB/hour",
                self.grows,
            ),
            (
                "lag of the event loop, p99",
                self.lag_p99_ms,
                MOST_LAG_MS,
                "ms",
                self.lag_p99_ms > MOST_LAG_MS,
            ),
        ):
            text = f"{value:,.1f} {unit}, at most {most:g}"
            table.add_row(name, text, style="red" if flaw else None)
        table.add_row("most memory", f"{max(each.rss_mb for each in self.samples):,.0f} MB")
        return table

"""The result of a run, for scripts and for people."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from loadtest.ledger.counts import Counts

_MS_PER_SECOND = 1_000


@dataclass(slots=True, frozen=True)
class Report:
    """What a run came to.

    `lag_p50_seconds` and `lag_p99_seconds` are measured from a device's first attempt to publish
    a reading until a query of InfluxDB returned it, over all readings of the run; None when none
    was seen. `seconds` is how long the devices published.
    """

    counts: Counts
    redelivered: int
    devices: int
    seconds: float
    lag_p50_seconds: float | None
    lag_p99_seconds: float | None

    @property
    def rate_per_second(self) -> float:
        """Readings stored per second of publishing."""
        return self.counts.stored / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The form that scripts read."""
        counts = self.counts
        return {
            "sent": counts.sent,
            "stored": counts.stored,
            "missing": counts.missing,
            "unexpected": counts.unexpected,
            "dead_lettered": counts.dead_lettered,
            "redelivered": self.redelivered,
            "devices": self.devices,
            "enriched": counts.enriched,
            "seconds": round(self.seconds, 3),
            "rate_per_s": round(self.rate_per_second, 3),
            "lag_ms": {"p50": _ms(self.lag_p50_seconds), "p99": _ms(self.lag_p99_seconds)},
        }

    def write(self, path: Path) -> None:
        """Write the JSON file, with the folder that it belongs into."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def table(self) -> Table:
        """The summary for a terminal; what must be zero and is not is red."""
        counts = self.counts
        rows: list[tuple[str, str, bool]] = [
            ("sent and acknowledged", str(counts.sent), True),
            ("stored exactly once, as sent", str(counts.stored), counts.stored == counts.sent),
            ("with all metadata", str(counts.enriched), counts.enriched == counts.stored),
            ("missing", str(counts.missing), not counts.missing),
            ("unexpected", str(counts.unexpected), not counts.unexpected),
            ("dead-lettered", str(counts.dead_lettered), not counts.dead_lettered),
            ("redelivered", str(self.redelivered), True),
            ("devices", str(self.devices), True),
            ("readings per second", f"{self.rate_per_second:.1f}", True),
            ("lag p50", show_seconds(self.lag_p50_seconds), True),
            ("lag p99", show_seconds(self.lag_p99_seconds), True),
        ]
        verdict = "[green]exact[/green]" if counts.exact else "[red]not exact[/red]"
        table = Table(title=f"{self.seconds:.0f} s: {verdict}", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value, good in rows:
            table.add_row(name, value, style=None if good else "red")
        return table


def show_seconds(seconds: float | None) -> str:
    """A lag for people."""
    return "-" if seconds is None else f"{seconds * _MS_PER_SECOND:,.0f} ms"


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * _MS_PER_SECOND, 1)

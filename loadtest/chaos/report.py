"""The result of a chaos run, for scripts and for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from loadtest.ledger.counts import Counts


@dataclass(slots=True, frozen=True)
class ChaosReport:
    """What a run came to.

    `counts` are those of the good readings; their `dead_lettered` is every letter that is not
    expected. `poison` messages were sent to be dead-lettered, `poison_missing` of them were not, or
    `poison_wrong` for another reason than theirs. `clean_stop_redeliveries` were held by a service
    when it ended after SIGTERM. `not_applied` faults never found a call to befall.
    """

    counts: Counts
    poison: int
    poison_missing: int
    poison_wrong: int
    letters: int
    redelivered: int
    kills: int
    terms: int
    outages: int
    faults: Mapping[str, int]
    not_applied: int
    seed: int
    schedule: str
    clean_stop_redeliveries: int
    longest_stop_seconds: float
    max_rss_mb: float
    devices: int
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether nothing was lost, doubled, changed or dead-lettered without need."""
        return self.counts.exact and not (
            self.poison_missing
            or self.poison_wrong
            or self.clean_stop_redeliveries
            or self.not_applied
        )

    def as_dict(self) -> dict[str, Any]:
        """The form that scripts read."""
        counts = self.counts
        return {
            "sent": counts.sent + self.poison,
            "stored": counts.stored,
            "missing": counts.missing + self.poison_missing,
            "unexpected": counts.unexpected,
            "dead_lettered": self.poison - self.poison_missing,
            "dead_letter_copies": self.letters,
            "wrong_reasons": self.poison_wrong,
            "redelivered": self.redelivered,
            "devices": self.devices,
            "enriched": counts.enriched,
            "seconds": round(self.seconds, 3),
            "rate_per_s": round(counts.sent / self.seconds, 3) if self.seconds else 0.0,
            "kills": self.kills,
            "terms": self.terms,
            "outages": self.outages,
            "faults": dict(sorted(self.faults.items())),
            "faults_not_applied": self.not_applied,
            "seed": self.seed,
            "schedule": self.schedule,
            "clean_stop_redeliveries": self.clean_stop_redeliveries,
            "longest_stop_seconds": round(self.longest_stop_seconds, 3),
            "dlq_good": counts.dead_lettered,
            "max_rss_mb": round(self.max_rss_mb, 1),
        }

    def write(self, path: Path) -> None:
        """Write the JSON file, with the folder that it belongs into."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def table(self) -> Table:
        """The summary for a terminal; what must be zero and is not is red."""
        counts = self.counts
        none = (
            ("missing", counts.missing + self.poison_missing),
            ("unexpected", counts.unexpected),
            ("good messages dead-lettered", counts.dead_lettered),
            ("without all metadata", counts.stored - counts.enriched),
            ("dead-lettered for a wrong reason", self.poison_wrong),
            ("left behind by clean stops", self.clean_stop_redeliveries),
            ("faults that befell no call", self.not_applied),
        )
        table = Table(
            title=f"{self.seconds:.0f} s: "
            + ("[green]exact[/green]" if self.exact else "[red]not exact[/red]"),
            show_header=False,
        )
        table.add_column()
        table.add_column(justify="right")
        table.add_row("readings sent", f"{counts.sent:,}")
        table.add_row("stored exactly once, as sent", f"{counts.stored:,}")
        table.add_row("poison sent and dead-lettered", f"{self.poison:,}")
        for name, number in none:
            table.add_row(name, f"{number:,}", style="red" if number else None)
        table.add_row("delivered again", f"{self.redelivered:,}")
        table.add_row("kill -9, SIGTERM", f"{self.kills}, {self.terms}")
        table.add_row("outages, kills of influxd included", f"{self.outages}")
        table.add_row("faults", f"{sum(self.faults.values()):,} of {len(self.faults)} kinds")
        table.add_row("longest clean stop", f"{self.longest_stop_seconds:.1f} s")
        table.add_row("most memory of a service", f"{self.max_rss_mb:.0f} MB")
        table.add_row("seed, schedule", f"{self.seed}, {self.schedule}")
        return table

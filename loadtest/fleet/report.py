"""The result of a fleet run, for scripts and for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from loadtest.fleet.limits import Limit
from loadtest.fleet.options import Options
from loadtest.fleet.page import make_page
from loadtest.fleet.progress import Progress
from loadtest.fleet.sampler import as_dict
from loadtest.ledger.compare import Verdict


@dataclass(slots=True, frozen=True)
class FleetReport:
    """What a run came to; `verdict` is None where nobody stores what is sent.

    `details` holds what is reported as it is: options, series, marks, machine.
    """

    options: Options
    verdict: Verdict | None
    progress: Progress
    limit: Limit
    details: Mapping[str, Any]

    @property
    def good(self) -> bool:
        """Whether everything was acknowledged, and all that was sent has the fate it should."""
        if self.progress.outstanding:
            return False
        return self.verdict is None or self.verdict.exact

    def as_dict(self) -> dict[str, Any]:
        """The form that scripts read."""
        progress = self.progress
        return {
            "good": self.good,
            "verdict": None if self.verdict is None else self.verdict.as_dict(),
            "schedule": {
                "due": progress.due,
                "begun": progress.begun,
                "acknowledged": progress.acknowledged,
                "late": progress.late,
                "late_share": round(progress.late / progress.begun, 5) if progress.begun else None,
                "silent": progress.silent,
                "copies": progress.copies,
                "poison": progress.poison,
                "errors": progress.errors,
                "lateness_ms": as_dict(progress.total.begun),
                "acknowledge_ms": as_dict(progress.total.acknowledged),
            },
            **self.details,
        }

    def write(self, path: Path) -> None:
        """Write the JSON file and the page beside it, with the folder that they belong into."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = self.as_dict()
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        self.options.page.write_text(make_page(content), encoding="utf-8")

    def table(self) -> Table:
        """The summary for a terminal; what should not be is red."""
        progress = self.progress
        content = self.as_dict()
        schedule = content["schedule"]
        rows: list[tuple[str, str, bool]] = [
            ("due", f"{progress.due:,}", True),
            ("sent", f"{progress.begun:,}", progress.begun == progress.due),
            ("acknowledged", f"{progress.acknowledged:,}", not progress.outstanding),
            ("sent late", _share(progress.late, progress.begun), self.limit is Limit.NONE),
            ("limit", self.limit.value, self.limit is Limit.NONE),
            ("lateness p99", _shown(schedule["lateness_ms"]["p99"]), True),
            ("acknowledged p99", _shown(schedule["acknowledge_ms"]["p99"]), True),
        ]
        if self.verdict is not None:
            told = self.verdict.as_dict()
            rows += [
                ("readings sent", f"{told['sent']:,}", True),
                *((name, f"{count:,}", name in _FINE) for name, count in told["fates"].items()),
                ("lag p50", _shown(self.details["lag_ms"]["p50"]), True),
                ("lag p99", _shown(self.details["lag_ms"]["p99"]), True),
                ("redelivered", f"{self.details['redelivered']:,}", True),
            ]
        rows.append(("generator memory", f"{content['generator']['max_rss_mb']:,} MB", True))
        verdict = "[green]good[/green]" if self.good else "[red]not good[/red]"
        if self.verdict is not None:
            verdict = "[green]exact[/green]" if self.good else "[red]not exact[/red]"
        title = f"{self.options.devices:,} devices, {self.options.seconds:.0f} s: {verdict}"
        table = Table(title=title, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value, fine in rows:
            table.add_row(name, value, style=None if fine else "red")
        return table


_FINE = frozenset({"stored", "dead-lettered as expected", "neither acknowledged nor stored"})


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.2%})" if whole else "0"


def _shown(ms: float | None) -> str:
    return "-" if ms is None else f"{ms:,.0f} ms"

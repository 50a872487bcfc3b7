"""What can be seen while a fleet runs: bars and figures on a terminal, else a line now and then."""

from collections.abc import Callable

from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table

from loadtest.fleet.desk import Desk
from loadtest.fleet.options import Options
from loadtest.fleet.sampler import Sampler
from loadtest.live import show


class FleetView:
    """Shows a run until `run` is cancelled."""

    def __init__(
        self, console: Console, options: Options, desk: Desk, sampler: Sampler,
        connected: Callable[[], int],
    ) -> None:  # fmt: skip
        self._console = console
        self._options = options
        self._desk = desk
        self._sampler = sampler
        self._connected = connected

    async def run(self) -> None:
        """Show the run again and again."""
        await show(self._console, line=self.line, picture=self.picture)

    def line(self) -> str:
        """The present moment as one line."""
        return ", ".join(f"{name} {value}" for name, value in self._figures())

    def picture(self) -> Group:
        """The present moment as bars and a table."""
        progress = self._desk.progress
        table = Table(show_header=False)
        table.add_column()
        table.add_column(justify="right", min_width=30)
        for name, value in self._figures():
            table.add_row(name, value)
        bars = Table.grid(padding=(0, 1))
        due = max(progress.due, 1)
        seconds = self._options.seconds
        for name, total, done in (
            ("time", seconds, min(self._desk.now, seconds)),
            ("acknowledged", due, progress.acknowledged),
            ("stored", due, self._sampler.stored),
        ):
            bars.add_row(name, ProgressBar(total=total, completed=done, width=50))
        return Group(bars, table)

    def _figures(self) -> list[tuple[str, str]]:
        now = self._sampler.now
        progress = self._desk.progress
        figures = [
            (str(now.get("doing") or "starting"), f"{self._desk.now:.0f} s"),
            ("connections", f"{self._connected():,}"),
            ("due", f"{progress.due:,}"),
            ("sent", f"{progress.begun:,} ({progress.late:,} late)"),
            ("acknowledged", f"{progress.acknowledged:,}"),
            ("stored", f"{self._sampler.stored:,}"),
            ("per second", f"{now.get('sent_per_s')} of {now.get('planned_per_s')}"),
            ("backlog", f"{now.get('waiting') or 0:,} + {now.get('in_flight') or 0:,}"),
            ("lag p50", f"{now.get('lag_p50_ms') or '-'} ms"),
            ("lag p99", f"{now.get('lag_p99_ms') or '-'} ms"),
        ]  # fmt: skip
        figures += [
            (f"dead letters: {reason}", f"{count:,}")
            for reason, count in self._sampler.rejected.items()
        ]
        if limit := now.get("limit"):
            figures.append(("limit", str(limit)))
        return figures

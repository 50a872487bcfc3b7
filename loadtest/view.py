"""What can be seen while a run goes on: a live table on a terminal, else a line now and then."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from loadtest.live import show
from loadtest.report import show_seconds

_FRAME_SECONDS = 0.25
_LINE_SECONDS = 3.0
_RATE_SECONDS = 5.0


@dataclass(slots=True, frozen=True)
class Progress:
    """One moment of a run. Lags are those of the latest readings."""

    doing: str
    seconds: float
    sent: int
    stored: int
    lag_p50_seconds: float | None
    lag_p99_seconds: float | None
    waiting: int
    in_flight: int
    connected: int
    devices: int
    page: str


class View:
    """Shows the progress that `progress` gives, until `run` is cancelled."""

    def __init__(self, console: Console, progress: Callable[[], Progress]) -> None:
        self._console = console
        self._progress = progress
        self._samples: deque[tuple[float, int]] = deque()

    async def run(self) -> None:
        """Show the progress again and again."""
        await show(
            self._console,
            line=self.line,
            picture=self.table,
            line_seconds=_LINE_SECONDS,
            frame_seconds=_FRAME_SECONDS,
        )

    def line(self) -> str:
        """The present moment as one line."""
        now, rate = self._now()
        return (
            f"{now.seconds:.0f} s {now.doing}: sent {now.sent}, stored {now.stored}, "
            f"{rate:.1f}/s, lag p50 {show_seconds(now.lag_p50_seconds)} "
            f"p99 {show_seconds(now.lag_p99_seconds)}, "
            f"backlog {now.waiting} waiting {now.in_flight} in flight, "
            f"devices {now.connected}/{now.devices}"
        )

    def table(self) -> Table:
        """The present moment as a table."""
        now, rate = self._now()
        table = Table(title=f"{now.doing}, {now.seconds:.0f} s", show_header=False)
        table.add_column()
        table.add_column(justify="right", min_width=24)
        for row in (
            ("sent", str(now.sent)),
            ("stored", str(now.stored)),
            ("stored per second", f"{rate:.1f}"),
            ("lag p50", show_seconds(now.lag_p50_seconds)),
            ("lag p99", show_seconds(now.lag_p99_seconds)),
            ("backlog", f"{now.waiting} waiting, {now.in_flight} in flight"),
            ("devices connected", f"{now.connected} of {now.devices}"),
            ("console", now.page),
        ):
            table.add_row(*row)
        return table

    def _now(self) -> tuple[Progress, float]:
        """The present moment, and the rate of the last few seconds."""
        now = self._progress()
        samples = self._samples
        samples.append((now.seconds, now.stored))
        while now.seconds - samples[0][0] > _RATE_SECONDS and len(samples) > 1:
            samples.popleft()
        seconds = now.seconds - samples[0][0]
        return now, (now.stored - samples[0][1]) / seconds if seconds else 0.0

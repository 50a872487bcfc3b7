"""What a run has done so far, against its schedule. All delays count from the moment due."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest.durations import Histogram

LATE_SECONDS = 0.1
"""A message is late when its sending began this long after it was due."""


@dataclass(slots=True)
class Delays:
    """How late sending began, and how long after a message was due it was acknowledged."""

    begun: Histogram = field(default_factory=Histogram)
    acknowledged: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class Progress:
    """Counters of a run. `late` of the `begun` messages began LATE_SECONDS after they were due.

    `window` holds the delays since it was last taken. `silent` slots had nothing to send, `errors`
    are attempts that failed and were repeated.
    """

    due: int = 0
    begun: int = 0
    late: int = 0
    acknowledged: int = 0
    silent: int = 0
    copies: int = 0
    poison: int = 0
    errors: int = 0
    _total: Delays = field(default_factory=Delays)
    window: Delays = field(default_factory=Delays)

    @property
    def outstanding(self) -> int:
        """Messages that are due and not acknowledged."""
        return self.due - self.acknowledged

    def begin(self, lateness_seconds: float) -> None:
        """A message is being sent for the first time."""
        self.begun += 1
        self.late += lateness_seconds > LATE_SECONDS
        self.window.begun.add(lateness_seconds)

    def acknowledge(self, delays_seconds: Sequence[float]) -> None:
        """Messages have been confirmed, so long after they were due."""
        self.acknowledged += len(delays_seconds)
        for each in delays_seconds:
            self.window.acknowledged.add(each)

    def take_window(self) -> Delays:
        """The delays since this was last asked."""
        window, self.window = self.window, Delays()
        self._total.begun.merge(window.begun)
        self._total.acknowledged.merge(window.acknowledged)
        return window

    @property
    def total(self) -> Delays:
        """The delays of the whole run."""
        self.take_window()
        return self._total

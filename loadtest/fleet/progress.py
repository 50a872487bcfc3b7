"""What a run has done so far, against its schedule. All delays count from the moment due."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, exp, log

LATE_SECONDS = 0.1
"""A message is late when its sending began this long after it was due."""

_SMALLEST = 1e-4
_STEP = log(1.04)


class Histogram:
    """Durations in classes 4 % wide: bounded memory, however many there are."""

    def __init__(self) -> None:
        self._classes: Counter[int] = Counter()
        self.count = 0
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """One more; less than a tenth of a millisecond is none at all."""
        number = ceil(log(seconds / _SMALLEST) / _STEP) if seconds > _SMALLEST else 0
        self._classes[number] += 1
        self.count += 1
        self.most = max(self.most, seconds)

    @property
    def classes(self) -> Counter[int]:
        """How many there are in each class, by its number."""
        return self._classes

    def merge(self, other: "Histogram") -> None:
        """All that another one has, too."""
        self._classes.update(other.classes)
        self.count += other.count
        self.most = max(self.most, other.most)

    def quantile(self, share: float) -> float | None:
        """What `share` of them did not exceed, at most 4 % too much; None when there is none."""
        rank = max(1, ceil(share * self.count))
        for number in sorted(self._classes):
            rank -= self._classes[number]
            if rank <= 0:
                return min(_SMALLEST * exp(number * _STEP), self.most)
        return None


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

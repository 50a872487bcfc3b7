"""Many durations in few figures."""

from collections import Counter
from collections.abc import Iterable
from math import ceil, exp, log

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


def quantile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None

"""A histogram that takes a whole batch of values at once."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence

BOUNDS_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0,
    10.0, 30.0, 60.0, 300.0, 3600.0,
)  # fmt: skip


class Histogram:
    """Cumulative counts for ever, and quantiles over the last few seconds.

    One value costs a share of one sort; prometheus-client's own histogram costs a microsecond
    for each.
    """

    def __init__(
        self, bounds: Sequence[float] = BOUNDS_SECONDS, *, window_seconds: float = 30.0
    ) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0
        self._window_seconds = window_seconds
        self._recent: deque[tuple[float, list[int]]] = deque()

    def observe(self, values: Sequence[float], now: float) -> None:
        """Add values in seconds; `now` is monotonic."""
        ordered = sorted(values)
        counts = []
        below = 0
        for bound in self.bounds:
            upto = bisect_right(ordered, bound, lo=below)
            counts.append(upto - below)
            below = upto
        counts.append(len(ordered) - below)
        for index, count in enumerate(counts):
            self.counts[index] += count
        self.sum += sum(ordered)
        # Slots of a second keep the memory independent of the rate.
        if self._recent and now - self._recent[-1][0] < 1.0:
            slot = self._recent[-1][1]
            for index, count in enumerate(counts):
                slot[index] += count
        else:
            self._recent.append((now, counts))
        self._forget(now)

    def quantile(self, share: float, now: float) -> float | None:
        """The value below which `share` of the recent ones lie, interpolated in its bucket.

        None when nothing was seen within the window.
        """
        self._forget(now)
        counts: list[int] = [
            sum(column) for column in zip(*(slot for _, slot in self._recent), strict=True)
        ]
        total = sum(counts)
        if not total:
            return None
        rank = share * total
        lower = 0.0
        for bound, count in zip(self.bounds, counts, strict=False):
            if count and rank <= count:
                return lower + (bound - lower) * rank / count
            rank -= count
            lower = bound
        return self.bounds[-1]

    def _forget(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] > self._window_seconds:
            self._recent.popleft()

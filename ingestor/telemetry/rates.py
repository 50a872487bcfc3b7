"""Rates over the last few seconds, from counters that only grow."""

from collections import deque


class Rate:
    """Growth of one counter per second, over the samples of the last `window_seconds`."""

    def __init__(self, window_seconds: float = 5.0) -> None:
        self._window_seconds = window_seconds
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, total: int, now: float) -> None:
        """Note the counter's value at a monotonic time."""
        self._samples.append((now, total))
        while now - self._samples[0][0] > self._window_seconds:
            self._samples.popleft()

    def per_second(self) -> float:
        """0 until two samples are there."""
        if len(self._samples) < 2:  # noqa: PLR2004 - a rate needs two points
            return 0.0
        (start, before), (end, after) = self._samples[0], self._samples[-1]
        return (after - before) / (end - start) if end > start else 0.0

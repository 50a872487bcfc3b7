"""How often one may ask."""

from ingestor.ports import Clock


class RateLimit:
    """A bucket for each name: `burst` at once, then `per_second`. Keeps at most `most` names."""

    def __init__(self, clock: Clock, *, per_second: float, burst: int, most: int = 1000) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._most = most
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_seconds(self, name: str) -> float:
        """0 when one more is allowed, which is then counted; else how long to wait."""
        now = self._clock.monotonic()
        left, since = self._buckets.pop(name, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_second)
        allowed = left >= 1
        if len(self._buckets) >= self._most:  # the one that asked least recently is full again
            del self._buckets[next(iter(self._buckets))]
        self._buckets[name] = (left - allowed, now)
        return 0.0 if allowed else (1 - left) / self._per_second

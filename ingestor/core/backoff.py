"""How long to wait before asking again."""

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with full jitter, for one thing that fails and recovers.

    The n-th delay is drawn from the upper half of `first_seconds * 2**n`, at most
    `most_seconds`, so that many waiters spread out but none spins. What the dependency asks
    for is honoured up to `most_asked_seconds`.
    """

    first_seconds: float = 0.1
    most_seconds: float = 10.0
    most_asked_seconds: float = 60.0
    failures: int = 0

    def next_delay(self, luck: float, *, asked_seconds: float | None = None) -> float:
        """Seconds to wait after one more failure; `luck` is a random number in [0, 1)."""
        # The exponent is capped because 2.0**1024 overflows after a long outage.
        ceiling = min(self.first_seconds * 2.0 ** min(self.failures, 32), self.most_seconds)
        self.failures += 1
        delay = ceiling * (0.5 + luck / 2)
        if asked_seconds is None:
            return delay
        return max(delay, min(asked_seconds, self.most_asked_seconds))

    def reset(self) -> None:
        """It worked: the next failure is a first one."""
        self.failures = 0

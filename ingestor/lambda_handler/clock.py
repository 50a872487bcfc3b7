"""Time for what outlives an invocation."""

from collections.abc import Callable
from time import time

from ingestor.adapters.clock import SystemClock


class ThawedClock(SystemClock):
    """A clock that counts the time that the process spends frozen between two invocations.

    The system's own monotonic clock may stand still meanwhile, and a cached record would then live
    for as long as nobody calls. The calendar does not; where it is set back, this clock waits.
    """

    def __init__(self, calendar: Callable[[], float] = time) -> None:
        self._calendar = calendar
        self._latest = 0.0

    def monotonic(self) -> float:
        """See Clock."""
        self._latest = max(self._latest, self._calendar())
        return self._latest

"""How many writes side by side a sink takes gladly."""

TOLERANCE = 2.0
"""A write that takes longer than so many times the best says that there are too many.

Below, another writer is worth having: twice the writers within twice the time lose nothing.
"""
SLACK_SECONDS = 0.025
"""Or longer than the best by less than that, which is a hiccup: one writer alone is then fast."""
CUT = 0.7
_FORGET = 0.02
"""How far the best follows a write that took longer: what a slower sink takes is the norm after
some dozens of writes, instead of never."""


class Concurrency:
    """Additive increase, multiplicative decrease, between 1 and `most`.

    Starts at `most`. Grows by one per round of writes whose latency is near the best while others
    wait; is cut once per round when a write fails or its latency has grown. Latencies are compared
    among bodies of about the same size: a large one takes longer on an idle sink, too.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._cut_at = float("-inf")
        self._best: dict[int, float] = {}

    @property
    def limit(self) -> int:
        """Writes that may be under way at the same time."""
        return int(self._limit)

    def stored(self, *, size_bytes: int, started: float, now: float, others_wait: bool) -> None:
        """A write that began at `started` (monotonic seconds) has ended well."""
        seconds = now - started
        octave = size_bytes.bit_length()
        best = self._best.setdefault(octave, seconds)
        self._best[octave] = min(seconds, best + (seconds - best) * _FORGET)
        if seconds > best * TOLERANCE + SLACK_SECONDS:
            self.failed(started=started, now=now)
        elif others_wait:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def failed(self, *, started: float, now: float) -> None:
        """A write that began at `started` got no answer, or a late one."""
        # What began before the last cut says nothing about the limit since then.
        if started >= self._cut_at:
            self._limit = max(1.0, self._limit * CUT)
            self._cut_at = now

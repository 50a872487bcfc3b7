"""When refusing has become the rule: then the mistake is more likely ours than the devices'."""

from collections import deque


class Guard:
    """Trips when more than half of the last `window` messages were refused; it stays tripped.

    Nothing is said of fewer messages than that half. With a window of 0 it never trips.
    """

    def __init__(self, window: int) -> None:
        self.tripped = False
        self._window = window
        self._runs: deque[tuple[bool, int]] = deque()
        self._seen = 0
        self._refused = 0

    def __repr__(self) -> str:
        return f"<Guard {self._refused} of {self._seen} refused{', tripped' * self.tripped}>"

    def saw(self, count: int, *, refused: bool) -> None:
        """So many messages came to their end, stored or refused."""
        if not self._window or not count:
            return
        if not refused and not self._refused:  # nearly always: one run, of which only the length
            self._runs.clear()
            self._seen = min(self._seen + count, self._window)
            return
        if not self._runs and self._seen:
            self._runs.append((False, self._seen))
        self._runs.append((refused, count))
        self._seen += count
        self._refused += count * refused
        while self._seen > self._window:
            was_refused, oldest = self._runs.popleft()
            excess = min(oldest, self._seen - self._window)
            self._seen -= excess
            self._refused -= excess * was_refused
            if excess < oldest:
                self._runs.appendleft((was_refused, oldest - excess))
        if self._refused > self._window / 2:
            self.tripped = True

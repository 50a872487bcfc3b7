"""Whether the pipeline gets anywhere."""


class Progress:
    """Notes when the figures last changed; monotonic seconds.

    Waiting for a dependency is no standstill: a restart would not help. Having work, nothing in
    the way and no change for a long time is one.
    """

    def __init__(self, *, most_seconds: float = 120.0) -> None:
        self._most_seconds = most_seconds
        self._marks: tuple[int, ...] = ()
        self._changed_at = 0.0
        self._seen_at = 0.0

    def observe(self, marks: tuple[int, ...], *, excused: bool, now: float) -> None:
        """Called once a second with figures that change whenever something gets done."""
        self._seen_at = now
        if excused or marks != self._marks:
            self._marks = marks
            self._changed_at = now

    def standstill(self, now: float) -> list[str]:
        """Why a restart is due, in a sentence; empty while all is well."""
        if now - self._seen_at > self._most_seconds:
            return [f"the pipeline's clock has not ticked for {now - self._seen_at:.0f} s"]
        if now - self._changed_at > self._most_seconds:
            return [f"there is work, but nothing was done for {now - self._changed_at:.0f} s"]
        return []

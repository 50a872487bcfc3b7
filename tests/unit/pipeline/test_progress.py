"""Standstill is told from waiting."""

from ingestor.pipeline.progress import Progress


def observe(
    progress: Progress, marks: tuple[int, ...], now: float, *, excused: bool = False
) -> None:
    """One look at the figures."""
    progress.observe(marks, excused=excused, now=now)


def test_work_goes_on() -> None:
    """Figures that change are progress."""
    progress = Progress(most_seconds=10)
    for now in range(60):
        observe(progress, (now,), now)

        assert progress.standstill(now) == []


def test_nothing_changes() -> None:
    """Work, no excuse and no change is a standstill."""
    progress = Progress(most_seconds=10)
    for now in range(12):
        observe(progress, (1,), now)

    assert progress.standstill(11) == ["there is work, but nothing was done for 11 s"]


def test_waiting_is_no_standstill() -> None:
    """While a dependency is down a restart would not help."""
    progress = Progress(most_seconds=10)
    for now in range(60):
        observe(progress, (1,), now, excused=True)

    assert progress.standstill(59) == []


def test_nobody_looks() -> None:
    """A pipeline that does not even look at its figures hangs."""
    progress = Progress(most_seconds=10)
    observe(progress, (1,), 0)

    assert progress.standstill(11) == ["the pipeline's clock has not ticked for 11 s"]

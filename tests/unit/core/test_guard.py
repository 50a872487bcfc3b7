"""When too much is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.guard import Guard

WINDOW = 10


@pytest.mark.parametrize(("refused", "tripped"), [(5, False), (6, True)])
def test_more_than_half_of_the_window_trips(refused: int, *, tripped: bool) -> None:
    """Half of the last messages may be refused, one more may not."""
    guard = Guard(WINDOW)
    guard.saw(refused, refused=True)
    guard.saw(WINDOW - refused, refused=False)

    assert guard.tripped is tripped


def test_stays_tripped() -> None:
    """What comes afterwards does not matter."""
    guard = Guard(WINDOW)
    guard.saw(6, refused=True)
    guard.saw(100, refused=False)

    assert guard.tripped
    assert "tripped" in repr(guard)


def test_can_be_off() -> None:
    """A window of nothing never trips."""
    guard = Guard(0)
    guard.saw(1000, refused=True)

    assert not guard.tripped


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2 * WINDOW)), max_size=30))
def test_looks_at_the_last_of_the_window(runs: list[tuple[bool, int]]) -> None:
    """It trips when, after any report, more than half of the last ten were refused."""
    guard = Guard(WINDOW)
    seen: list[bool] = []
    tripped = False
    for refused, count in runs:
        guard.saw(count, refused=refused)
        seen += [refused] * count
        tripped = tripped or sum(seen[-WINDOW:]) > WINDOW / 2

    assert guard.tripped is tripped

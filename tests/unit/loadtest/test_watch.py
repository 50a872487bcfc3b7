"""How everything stored is asked for in portions."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.watch import slice_bounds


def test_slices_hold_about_as_many_rows_as_asked_for() -> None:
    """A new slice begins with the first second after enough readings."""
    assert slice_bounds([5, 5, 5, 6, 7, 7, 8], 3) == [5, 6, 8]


def test_nothing_sent_still_asks_for_everything() -> None:
    """Without a reading there is one bound, so that unexpected points are found."""
    assert slice_bounds([], 10) == [0]


@given(seconds=st.lists(st.integers(0, 100), min_size=1), rows=st.integers(1, 20))
def test_bounds_rise_and_begin_with_the_first_reading(seconds: list[int], rows: int) -> None:
    """Slices neither overlap nor leave gaps."""
    bounds = slice_bounds(seconds, rows)

    assert bounds[0] == min(seconds)
    assert bounds == sorted(set(bounds))

"""The axes of a report's plots."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.fleet.plots import round_up


@given(st.floats(min_value=1e-3, max_value=1e9))
def test_an_axis_ends_close_above_the_highest_value(value: float) -> None:
    """Not below it, and not so far above it that the curve would lie flat."""
    assert value <= round_up(value) * (1 + 1e-9)
    assert round_up(value) < value * 1.7


def test_axes_have_numbers_that_people_read() -> None:
    """All of their quarters."""
    assert [round_up(value) for value in (3.62, 238, 1_690, 1e6)] == [4, 300, 2_000, 1e6]

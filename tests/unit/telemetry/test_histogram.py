"""A histogram that takes a whole batch of values at once."""

import pytest

from ingestor.telemetry.histogram import Histogram


def test_counts_values_into_buckets_by_upper_bound() -> None:
    """A value equal to a bound belongs to it; what is above all bounds is kept, too."""
    histogram = Histogram((1.0, 2.0, 4.0))

    histogram.observe([0.5, 1.0, 1.5, 9.0], now=0)
    histogram.observe([4.0], now=0)

    assert (histogram.counts, histogram.sum) == ([2, 1, 1, 1], 16.0)


def test_quantiles_are_interpolated_in_their_bucket() -> None:
    """Half of the values lie below the quantile of 0.5."""
    histogram = Histogram((1.0, 2.0, 4.0))
    histogram.observe([0.5] * 50 + [3.0] * 50, now=0)

    assert histogram.quantile(0.5, now=0) == 1.0
    assert histogram.quantile(0.75, now=0) == 3.0
    assert histogram.quantile(1.0, now=0) == 4.0


def test_a_quantile_beyond_all_bounds_is_the_last_bound() -> None:
    """An open bucket has no upper end to interpolate to."""
    histogram = Histogram((1.0,))
    histogram.observe([50.0], now=0)

    assert histogram.quantile(0.99, now=0) == 1.0


@pytest.mark.parametrize(("now", "expected"), [(30.0, 1.0), (30.5, 3.0), (31.5, None)])
def test_quantiles_forget_what_is_old(now: float, expected: float | None) -> None:
    """Only the values of the window count; none is not zero."""
    histogram = Histogram((2.0, 4.0), window_seconds=30.0)
    histogram.observe([1.0, 1.0, 1.0], now=0.0)
    histogram.observe([3.0], now=1.0)

    quantile = histogram.quantile(0.5, now=now)

    assert quantile == pytest.approx(expected, abs=0.4) if expected else quantile is None


def test_memory_does_not_grow_with_the_rate() -> None:
    """All batches of a second share a slot."""
    histogram = Histogram(window_seconds=10.0)
    for n in range(100_000):
        histogram.observe([0.1], now=n / 1000)

    assert len(histogram._recent) <= 12  # noqa: SLF001 - the bound is the promise


def test_an_empty_batch_changes_nothing() -> None:
    """A quantile needs a value."""
    histogram = Histogram()
    histogram.observe([], now=0)

    assert histogram.quantile(0.5, now=0) is None

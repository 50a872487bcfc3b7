"""Rates from counters."""

import pytest

from ingestor.telemetry.rates import Rate


def test_growth_per_second_over_the_window() -> None:
    """Old samples leave the window."""
    rate = Rate(window_seconds=2.0)
    for second, total in enumerate([0, 1000, 1010, 1020]):
        rate.sample(total, float(second))

    assert rate.per_second() == pytest.approx(10.0)


def test_needs_two_samples() -> None:
    """There is no rate at a point, nor within no time."""
    rate = Rate()
    rate.sample(5, 1.0)
    assert rate.per_second() == 0.0
    rate.sample(9, 1.0)

    assert rate.per_second() == 0.0

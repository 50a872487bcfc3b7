"""What was sent, and when it was first seen."""

from typing import Any

import pytest

from loadtest.devices import Reading
from loadtest.ledger import Ledger, quantile


def reading(sequence: int, *, second: int = 1_000) -> Reading:
    """A reading of the one sensor here."""
    return Reading("sensor", sequence, 900, 50, second)


def row(sequence: int) -> dict[str, Any]:
    """What a query returns for it."""
    return {"time": 0, "sensorID": "sensor", "sequence": sequence}


def test_only_an_acknowledged_reading_counts_as_sent() -> None:
    """Publishing alone does not make a reading sent; its acknowledgement does, once."""
    ledger = Ledger()
    ledger.publish(reading(1), 0.0)

    assert (ledger.acknowledged, ledger.complete) == (0, True)

    ledger.acknowledge(reading(1))
    ledger.acknowledge(reading(1))

    assert (ledger.acknowledged, ledger.complete) == (1, False)
    assert repr(ledger) == "<Ledger 1 acknowledged, 0 seen>"


def test_lag_counts_from_the_first_attempt_to_the_first_sight() -> None:
    """Neither publishing again nor seeing again changes the lag of a reading."""
    ledger = Ledger()
    ledger.publish(reading(1), 10.0)
    ledger.publish(reading(1), 15.0)
    ledger.acknowledge(reading(1))
    ledger.see([row(1)], 17.0)
    ledger.see([row(1)], 99.0)

    assert ledger.lags_seconds == [7.0]
    assert ledger.recent_lag_seconds(0.5) == ledger.lag_seconds(0.5) == 7.0
    assert ledger.seen == 1
    assert ledger.complete


def test_a_point_that_nobody_sent_is_not_seen() -> None:
    """Unknown points do not disturb; the audit is there to find them."""
    ledger = Ledger()
    ledger.see([row(1), {"time": 0, "sensorID": None, "sequence": None}], 1.0)

    assert ledger.seen == 0


def test_the_watch_asks_since_the_oldest_outstanding_reading() -> None:
    """Seen readings need not be asked for again."""
    ledger = Ledger()
    for sequence in (1, 2, 3):
        ledger.publish(reading(sequence, second=1_000 + sequence), 0.0)

    assert ledger.oldest_outstanding_second == 1_001

    ledger.see([row(1), row(3)], 1.0)

    assert ledger.oldest_outstanding_second == 1_002

    ledger.see([row(2)], 1.0)

    assert ledger.oldest_outstanding_second is None


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([3.0], 0.99, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_quantile_is_the_nearest_rank(
    values: list[float], share: float, expected: float | None
) -> None:
    """A quantile is one of the values, and none when there is none."""
    assert quantile(values, share) == expected

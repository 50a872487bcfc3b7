"""What was published, what of it was seen, and what the ledger has of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.devices import Device, Reading, make_devices
from loadtest.durations import quantile
from loadtest.kinds import CborDevice, SenmlDevice
from loadtest.ledger.book import Book
from loadtest.ledger.compare import Comparison
from loadtest.ledger.counts import Counts
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS

NS = 1_000_000_000


class Site:
    """One device, its tracker and its ledger."""

    def __init__(self, book: Book, device: Device | None = None) -> None:
        self.book = book
        self.device = device or make_devices(1, RECORDS, seed=1)[0]
        self.tracker = Tracker([self.device], book)

    def publish(self, second: int = 1_000, now: float = 0.0) -> Reading:
        """The next reading, published."""
        reading = self.device.read(second)
        self.tracker.publish(self.device, [reading], now)
        return reading

    def row(self, reading: Reading, **changes: Any) -> dict[str, Any]:
        """What a query returns for a reading, with changes."""
        return {
            "time": self.device.time_ms(reading) * 1_000_000,
            "sensorID": self.device.sensor,
            "sequence": reading.sequence,
            "pressureValue": reading.pressure,
            "viscosity": reading.viscosity,
            **self.device.tags,
            **changes,
        }

    def counts(self, *rows: dict[str, Any], letters: list[tuple[str, str]] | None = None) -> Counts:
        """What a comparison with these points and dead letters comes to."""
        comparison = Comparison(self.book, [self.device])
        comparison.add_points("pressure", rows)
        comparison.add_letters(letters or [])
        return Counts.of(comparison.verdict())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site without readings."""
    with Book.create(tmp_path / "ledger.sqlite", {}) as book:
        yield Site(book)


def test_only_an_acknowledged_reading_counts_as_sent(site: Site) -> None:
    """Publishing alone does not make a reading sent; its acknowledgement does, once."""
    reading = site.publish()
    assert (site.tracker.acknowledged, site.tracker.complete) == (0, True)

    site.tracker.acknowledge([reading])
    site.tracker.acknowledge([reading])

    assert (site.tracker.acknowledged, site.tracker.complete) == (1, False)
    assert repr(site.tracker) == "<Tracker 1 acknowledged, 0 seen>"


def test_a_reading_is_in_the_ledger_before_it_is_published_and_once(site: Site) -> None:
    """However often it is published until it is acknowledged, and whether it was seen or not."""
    reading = site.publish()
    site.tracker.see([site.row(reading)], 1.0)
    site.tracker.publish(site.device, [reading], 2.0)

    assert (site.book.count(), site.book.count("acknowledged"), site.tracker.published) == (1, 0, 1)
    site.tracker.acknowledge([reading])
    assert site.book.count("acknowledged") == 1
    assert site.tracker.complete


def test_lag_counts_from_the_first_attempt_to_the_first_sight(site: Site) -> None:
    """Neither publishing again nor seeing again changes the lag of a reading."""
    reading = site.publish(now=10.0)
    site.tracker.publish(site.device, [reading], 15.0)
    site.tracker.acknowledge([reading])
    site.tracker.see([site.row(reading)], 17.0)
    site.tracker.see([site.row(reading)], 99.0)

    assert (site.tracker.seen, site.tracker.lags.count, site.tracker.lags.most) == (1, 1, 7.0)
    assert site.tracker.recent_lag_seconds(0.5) == 7.0
    assert site.tracker.complete


def test_a_point_that_nobody_sent_is_not_seen(site: Site) -> None:
    """Unknown points do not disturb; the comparison is there to find them."""
    site.tracker.see([{"time": 0, "sensorID": None, "sequence": None}], 1.0)

    assert site.tracker.seen == 0


def test_the_watch_asks_since_the_oldest_outstanding_reading(site: Site) -> None:
    """Seen readings need not be asked for again."""
    first, second, third = (site.publish(1_000 + n) for n in (1, 2, 3))
    assert site.tracker.oldest_outstanding_second == 1_001

    site.tracker.see([site.row(first), site.row(third)], 1.0)
    assert site.tracker.oldest_outstanding_second == 1_002

    site.tracker.see([site.row(second)], 1.0)
    assert site.tracker.oldest_outstanding_second is None


def test_all_is_well(site: Site) -> None:
    """Every reading sent has its one point with all tags, anywhere within its second."""
    readings = [site.publish(), site.publish()]
    site.tracker.acknowledge(readings)
    rows = [site.row(each, time=1_000 * NS + 999_999_999) for each in readings]

    assert site.counts(*rows) == Counts(2, 2, 0, 0, 2, 0)
    assert site.counts(*rows).exact


def test_what_was_not_acknowledged_may_be_missing(site: Site) -> None:
    """It counts as sent when it arrived all the same."""
    readings = [site.publish(), site.publish(), site.publish()]
    site.tracker.acknowledge(readings[:1])

    assert site.counts(*map(site.row, readings[:2])) == Counts(2, 2, 0, 0, 2, 0)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"pressureValue": 1.5}, Counts(1, 0, 1, 1, 0, 0)),
        ({"time": 1_001 * NS}, Counts(1, 0, 1, 1, 0, 0)),
        ({"time": 1_000 * NS - 1}, Counts(1, 0, 1, 1, 0, 0)),
        ({"sequence": 99}, Counts(1, 0, 1, 1, 0, 0)),
        ({"manufacturer": None}, Counts(1, 1, 0, 0, 0, 0)),
        ({"stranger": "tag"}, Counts(1, 1, 0, 0, 0, 0)),
    ],
)
def test_what_is_wrong_is_counted(site: Site, changes: dict[str, Any], counts: Counts) -> None:
    """A point that differs is unexpected and its reading missing; one with other tags is bare."""
    reading = site.publish()
    site.tracker.acknowledge([reading])

    assert site.counts(site.row(reading, **changes)) == counts
    assert not counts.exact


def test_missing_doubled_and_dead_lettered(site: Site) -> None:
    """Each is a number of its own."""
    gone, twice, dead = (site.publish() for _ in range(3))
    site.tracker.acknowledge([gone, twice, dead])
    again = site.row(twice, time=1_000 * NS + 5)
    letter = site.device.payload(dead).decode(), "map bad-field"

    assert site.counts(site.row(twice), again, letters=[letter]) == Counts(3, 1, 1, 1, 1, 1)
    assert site.counts(letters=[("[1]", "")]).dead_lettered == 1


@pytest.mark.parametrize("kind", [CborDevice, SenmlDevice])
def test_packed_readings_have_their_exact_time(tmp_path: Path, kind: type[Device]) -> None:
    """Devices that send milliseconds are held to them."""
    with Book.create(tmp_path / "ledger.sqlite", {}) as book:
        site = Site(book, kind(0, RECORDS[0], seed=1))
        reading = site.publish()
        site.tracker.acknowledge([reading])

        assert site.counts(site.row(reading)).exact
        assert site.row(reading)["time"] == 1_000 * NS + 1_000_000
        assert not site.counts(site.row(reading, time=1_000 * NS)).exact


def test_without_a_ledger_nothing_that_was_seen_is_kept() -> None:
    """For who only wants something to be published."""
    (device,) = make_devices(1, RECORDS, seed=1)
    tracker = Tracker([device])
    reading = device.read(1_000)
    tracker.publish(device, [reading], 0.0)
    tracker.acknowledge([reading])

    assert list(tracker.outstanding) == [reading.identity]
    assert tracker.acknowledged == 1


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

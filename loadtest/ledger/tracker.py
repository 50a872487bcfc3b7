"""What devices have published and nobody has seen yet; their readings are entered in a ledger."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.devices import Device, Reading
from loadtest.durations import Histogram, quantile
from loadtest.ledger.book import Book, Entry
from loadtest.ledger.judge import pack

Identity = tuple[str, int]
"""A reading's sensor and sequence number."""

_RECENT = 2_000


@dataclass(slots=True)
class _Published:
    """Where a reading stands in the ledger, and when it was first published."""

    row: int
    at: float
    second: int


class Tracker:
    """Follows each reading from publishing to being seen; what is seen leaves the memory.

    A reading counts as sent when the broker acknowledged it. One that was published without an
    acknowledgement may have arrived or not: it is allowed to be stored, but not missed. Without a
    `book` nothing is kept of what was seen.
    """

    def __init__(self, devices: Sequence[Device], book: Book | None = None) -> None:
        self.published = 0
        self.acknowledged = 0
        self.seen = 0
        self.lags = Histogram()
        self.outstanding: dict[Identity, _Published] = {}
        self._unacknowledged: dict[Identity, _Published] = {}
        self._recent_lags: deque[float] = deque(maxlen=_RECENT)
        self._book = book
        self._numbers = {device.sensor: number for number, device in enumerate(devices)}

    def __repr__(self) -> str:
        return f"<Tracker {self.acknowledged} acknowledged, {self.seen} seen>"

    def publish(self, device: Device, readings: Sequence[Reading], now: float) -> None:
        """A device is about to publish these, for the first time or again."""
        new = [each for each in readings if each.identity not in self._unacknowledged]
        rows: Sequence[int] = [0] * len(new)
        if self._book is not None:
            rows = self._book.enter([entry(self._numbers[device.sensor], device, r) for r in new])
        for row, reading in zip(rows, new, strict=True):
            made = _Published(row, now, reading.second)
            self.outstanding[reading.identity] = self._unacknowledged[reading.identity] = made
        self.published += len(new)

    def acknowledge(self, readings: Sequence[Reading]) -> None:
        """The broker has confirmed the readings."""
        known = (self._unacknowledged.pop(each.identity, None) for each in readings)
        rows = [each.row for each in known if each is not None]
        self.acknowledged += len(rows)
        if self._book is not None:
            self._book.acknowledge(rows)

    def see(self, rows: Iterable[Mapping[str, Any]], now: float) -> None:
        """InfluxDB has returned these points, some of them perhaps for the first time."""
        for row in rows:
            published = self.outstanding.pop((row["sensorID"], row["sequence"]), None)
            if published is not None:
                self.seen += 1
                self.lags.add(now - published.at)
                self._recent_lags.append(now - published.at)

    @property
    def oldest_outstanding_second(self) -> int | None:
        """The time of the oldest reading that was not seen yet; None when all were."""
        # Dictionaries keep the order of insertion, and devices publish as time goes by.
        published = next(iter(self.outstanding.values()), None)
        return None if published is None else published.second

    @property
    def complete(self) -> bool:
        """Whether everything that was acknowledged has been seen."""
        return self.outstanding.keys() <= self._unacknowledged.keys()

    def recent_lag_seconds(self, share: float) -> float | None:
        """The lag that `share` of the latest readings did not exceed, of at most two thousand."""
        return quantile(self._recent_lags, share)


def entry(number: int, device: Device, reading: Reading) -> Entry:
    """The entry of a reading; `number` is its device's in the ledger."""
    values = (reading.pressure, reading.viscosity)
    return Entry(number, reading.sequence, device.time_ms(reading), pack(values, ""))

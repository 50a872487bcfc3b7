"""The book of what was sent and when it was first seen in InfluxDB."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from loadtest.devices import Reading

Identity = tuple[str, int]
"""A reading's sensor and sequence number."""

_RECENT = 2_000


@dataclass(slots=True)
class Entry:
    """One reading; `published_at` is the monotonic time of the first attempt to publish it."""

    reading: Reading
    published_at: float
    acknowledged: bool = False


class Ledger:
    """What the devices sent. Keeps every reading of a run: about 300 bytes each.

    A reading counts as sent when the broker acknowledged it. One that was published without an
    acknowledgement may have arrived or not: it is allowed to be stored, but not missed.
    """

    def __init__(self) -> None:
        self.entries: dict[Identity, Entry] = {}
        self.outstanding: dict[Identity, Entry] = {}
        self.acknowledged = 0
        self.seen = 0
        self.lags_seconds: list[float] = []
        self._recent_lags: deque[float] = deque(maxlen=_RECENT)

    def __repr__(self) -> str:
        return f"<Ledger {self.acknowledged} acknowledged, {self.seen} seen>"

    def publish(self, reading: Reading, now: float) -> None:
        """A device is about to publish, for the first time or again."""
        identity = (reading.sensor, reading.sequence)
        if identity not in self.entries:
            self.entries[identity] = self.outstanding[identity] = Entry(reading, now)

    def acknowledge(self, reading: Reading) -> None:
        """The broker has confirmed the reading."""
        entry = self.entries[reading.sensor, reading.sequence]
        self.acknowledged += not entry.acknowledged
        entry.acknowledged = True

    def see(self, rows: Iterable[Mapping[str, Any]], now: float) -> None:
        """InfluxDB has returned these points, some of them perhaps for the first time."""
        for row in rows:
            entry = self.outstanding.pop((row["sensorID"], row["sequence"]), None)
            if entry is not None:
                self.seen += 1
                self.lags_seconds.append(now - entry.published_at)
                self._recent_lags.append(now - entry.published_at)

    @property
    def oldest_outstanding_second(self) -> int | None:
        """The time of the oldest reading that was not seen yet; None when all were."""
        # Dictionaries keep the order of insertion, and devices publish as time goes by.
        entry = next(iter(self.outstanding.values()), None)
        return None if entry is None else entry.reading.second

    @property
    def complete(self) -> bool:
        """Whether everything that was acknowledged has been seen."""
        return not any(entry.acknowledged for entry in self.outstanding.values())

    def lag_seconds(self, share: float) -> float | None:
        """The lag that `share` of all readings seen did not exceed; None when none was seen."""
        return quantile(self.lags_seconds, share)

    def recent_lag_seconds(self, share: float) -> float | None:
        """The same for the latest readings seen, at most two thousand."""
        return quantile(self._recent_lags, share)


def quantile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None

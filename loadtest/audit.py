"""Compares what was sent with what is stored and what was dead-lettered, reading by reading."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.devices import Reading
from loadtest.ledger import Identity, Ledger

_NS_PER_SECOND = 1_000_000_000
_EXAMPLES = 10
_OWN_COLUMNS = frozenset({"time", "sensorID", "sequence", "pressureValue", "viscosity"})


@dataclass(slots=True, frozen=True)
class Counts:
    """The result of an audit.

    `sent` counts readings that the broker acknowledged, and those it did not acknowledge but that
    arrived all the same. `stored` of them have exactly the right point, `missing` are neither
    stored nor dead-lettered. `unexpected` counts points that nobody sent: unknown, with wrong
    values or time, or a second point of one reading. `enriched` of the stored points carry all
    attributes of their device's record as tags, and no others. `dead_lettered` counts messages.
    """

    sent: int
    stored: int
    missing: int
    unexpected: int
    enriched: int
    dead_lettered: int

    @property
    def exact(self) -> bool:
        """Whether everything is stored, once, right, enriched, and nothing else is."""
        flawless = not (self.missing or self.unexpected or self.dead_lettered)
        return flawless and self.enriched == self.stored == self.sent


class Audit:
    """Takes points and dead letters in any order and portions.

    `tags` gives the expected metadata tags of every sensor. What was not added is taken as not
    there.
    """

    def __init__(self, ledger: Ledger, tags: Mapping[str, Mapping[str, str]]) -> None:
        self._ledger = ledger
        self._tags = tags
        self._notes: list[str] = []
        self._stored: set[Identity] = set()
        self._dead: set[Identity] = set()
        self._letters = 0
        self._unexpected = 0
        self._enriched = 0

    def add_points(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Points as InfluxQL returns them: fields and tags by name, `time` in nanoseconds."""
        for row in rows:
            identity = (row.get("sensorID"), row.get("sequence"))
            entry = self._ledger.entries.get(identity)  # type: ignore[arg-type] # or nothing is found
            if entry is None:
                self._refuse(f"never sent: {identity}")
                continue
            reading = entry.reading
            if (difference := _difference(reading, row)) is not None:
                self._refuse(f"not as sent: {identity}: {difference}")
            elif (reading.sensor, reading.sequence) in self._stored:
                self._refuse(f"stored twice: {identity}")
            else:
                self._stored.add((reading.sensor, reading.sequence))
                self._check_tags(reading, row)

    def add_dead_letter(self, body: str, why: str) -> None:
        """The body of a message in the dead-letter queue, and the reason given for it."""
        self._letters += 1
        self._note(f"dead-lettered: {why}")
        try:
            message = json.loads(body)
            identity = (message["deviceid"] + message["clientid"], message["sequence"])
        except (ValueError, KeyError, TypeError):
            return
        if identity in self._ledger.entries:
            self._dead.add(identity)

    def counts(self) -> Counts:
        """What has been found so far."""
        missing = self._missing()
        return Counts(
            sent=len(self._stored | self._dead) + len(missing),
            stored=len(self._stored),
            missing=len(missing),
            unexpected=self._unexpected,
            enriched=self._enriched,
            dead_lettered=self._letters,
        )

    def findings(self) -> list[str]:
        """The first few things that are wrong, for a person."""
        missing = (f"missing: {identity}" for identity in self._missing())
        return [*self._notes, *missing][:_EXAMPLES]

    def _missing(self) -> list[Identity]:
        return [
            identity
            for identity, entry in self._ledger.entries.items()
            if entry.acknowledged and identity not in self._stored and identity not in self._dead
        ]

    def _check_tags(self, reading: Reading, row: Mapping[str, Any]) -> None:
        found = {
            name: value
            for name, value in row.items()
            if name not in _OWN_COLUMNS and value not in (None, "")
        }
        if found == self._tags[reading.sensor]:
            self._enriched += 1
        else:
            self._note(f"not enriched as the table says: {reading.sensor}: {found}")

    def _refuse(self, finding: str) -> None:
        self._unexpected += 1
        self._note(finding)

    def _note(self, finding: str) -> None:
        if len(self._notes) < _EXAMPLES:
            self._notes.append(finding)


def _difference(reading: Reading, row: Mapping[str, Any]) -> str | None:
    """What is wrong with the point of a reading, None when it is right."""
    for column, value in (
        ("pressureValue", float(reading.pressure)),
        ("viscosity", float(reading.viscosity)),
    ):
        if row.get(column) != value:
            return f"{column} is {row.get(column)!r}, not {value!r}"
    if row["time"] // _NS_PER_SECOND != reading.second:
        return f"time is {row['time']}, not within second {reading.second}"
    return None

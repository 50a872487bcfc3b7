"""Compares a ledger with what was stored and dead-lettered, in bounded memory.

What is there goes into the ledger's file in whatever order it comes. Then both are read sorted by
device and sequence, which SQLite does on disk, and merged.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from loadtest.devices.routes import DEVICE_TAG, FIRMWARE
from loadtest.ledger.book import Book
from loadtest.ledger.judge import GOOD, Fate, Point, Sent, judge, pack

_SCHEMA = """
DROP TABLE IF EXISTS found;
DROP TABLE IF EXISTS letters;
DROP TABLE IF EXISTS fates;
CREATE TABLE found (
    device INTEGER NOT NULL, sequence INTEGER NOT NULL, time_ns INTEGER NOT NULL,
    content BLOB NOT NULL, wrong TEXT NOT NULL
);
CREATE TABLE letters (device INTEGER NOT NULL, sequence INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE fates (
    device INTEGER, sequence INTEGER, fate TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (device, sequence)
) WITHOUT ROWID;
"""
_MERGED = """
SELECT device, sequence, 0, time_ms, content, expected, acknowledged FROM sent
UNION ALL SELECT device, sequence, 1, time_ns, content, wrong, 0 FROM found
UNION ALL SELECT device, sequence, 2, 0, why, '', 0 FROM letters
ORDER BY 1, 2, 3
"""
_AT_ONCE = 10_000
_EXAMPLES_EACH = 5
UNEXPECTED = (
    Fate.ALTERED, Fate.LATE, Fate.EARLY, Fate.DOUBLED, Fate.STRANGER, Fate.POISON_STORED,
)  # fmt: skip
_DATA = re.compile(r'"data"\s*:\s*"([^"]*)"')
_SEQUENCE = re.compile(r'"sequence"\s*:\s*(\d+)|"n":"sequence","v":(\d+)')
_SENDER = re.compile(r'"(?:device|bn)"\s*:\s*"([^"]*)"')
_SENDER_IN_TWO = re.compile(r'"deviceid"\s*:\s*"([^"]*)".*?"clientid"\s*:\s*"([^"]*)"')
_CBOR_SEQUENCE = re.compile(rb"hsequence(\x18.|\x19..|\x1a....|[\x00-\x17])", re.DOTALL)
_CBOR_SENDER = re.compile(rb"fdevicex\x2d([!-~]{45})")


class Subject(Protocol):
    """A device as far as its readings are compared.

    `name` is for people, `sensor` is the tag that tells devices apart. `columns` are the fields of
    the `measurement` that hold the values of a reading, in their order; `tags` are all that its
    points must have besides. With `whole_seconds` its readings are sent with such times, which the
    service spreads over the second.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see above
    @property
    def sensor(self) -> str: ...  # noqa: D102 - see above
    @property
    def measurement(self) -> str: ...  # noqa: D102 - see above
    @property
    def columns(self) -> Sequence[str]: ...  # noqa: D102 - see above
    @property
    def tags(self) -> Mapping[str, str]: ...  # noqa: D102 - see above
    @property
    def whole_seconds(self) -> bool: ...  # noqa: D102 - see above


@dataclass(slots=True)
class Verdict:
    """How many readings, points and letters there are of each fate, and some examples.

    `sent` counts readings that were acknowledged, or that arrived all the same.
    """

    sent: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether every reading has the fate that it should have, and nothing else is there."""
        return self.sent > 0 and all(fate in GOOD for fate in self.fates)

    def note(self, fate: Fate, what: str) -> None:
        """Count something; what is wrong is kept as an example, as long as there are few."""
        self.fates[fate] += 1
        if fate not in GOOD and self.fates[fate] <= _EXAMPLES_EACH:
            self.examples.append(f"{fate}: {what}")

    def as_dict(self) -> dict[str, Any]:
        """For scripts; the names that the demo's report has too mean the same."""
        fates = self.fates
        enriched = fates[Fate.STORED] + fates[Fate.STORED_AND_DEAD]
        return {
            "exact": self.exact,
            "sent": self.sent,
            "stored": enriched + fates[Fate.BARE],
            "enriched": enriched,
            "missing": fates[Fate.MISSING],
            "unexpected": sum(fates[fate] for fate in UNEXPECTED),
            "dead_lettered": fates[Fate.DEAD] + fates[Fate.STORED_AND_DEAD],
            "rejected_as_expected": fates[Fate.REJECTED],
            "fates": {fate.value: count for fate, count in sorted(fates.items())},
            "letters": dict(sorted(self.letters.items())),
            "examples": self.examples,
        }


class _Group(NamedTuple):
    """All that is known of one reading."""

    device: int
    sequence: int
    sent: Sent | None
    points: list[Point]
    reasons: list[str]


class Comparison:
    """Takes points and dead letters in any order and portions, then gives the verdict.

    A device's number in the ledger is its place in `devices`.
    """

    def __init__(self, book: Book, devices: Sequence[Subject]) -> None:
        self._db = book.db
        self._devices = devices
        self._numbers = {device.sensor: number for number, device in enumerate(devices)}
        self._verdict = Verdict()
        self._db.executescript(_SCHEMA)

    def add_points(self, measurement: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Points as InfluxQL returns them: fields and tags by name, `time` in nanoseconds."""
        entries = []
        for row in rows:
            sensor, sequence = row.get(DEVICE_TAG), row.get("sequence")
            number = self._numbers.get(sensor or "")
            if (
                number is None
                or not isinstance(sequence, int)
                or self._devices[number].measurement != measurement
            ):
                self._verdict.note(Fate.STRANGER, f"{sensor} {sequence} in {measurement}")
                continue
            device = self._devices[number]
            content = pack([row.get(name) for name in device.columns], row.get(FIRMWARE) or "")
            own = {*device.columns, "time", DEVICE_TAG, "sequence", FIRMWARE}
            tags = {
                name: value
                for name, value in row.items()
                if name not in own and value not in (None, "")
            }
            wrong = "" if tags == device.tags else f"its tags are {tags}"
            entries.append((number, sequence, row["time"], content, wrong))
        self._insert("INSERT INTO found VALUES (?, ?, ?, ?, ?)", entries)

    def add_letters(self, letters: Iterable[tuple[str, str]]) -> None:
        """Bodies of dead letters, each with the reason that came with it."""
        entries = []
        for body, why in letters:
            self._verdict.letters[" ".join(why.split()[:2]) or "no reason"] += 1
            sender, sequence = _identity(body)
            number = self._numbers.get(sender)
            if number is None or sequence is None:
                self._verdict.note(Fate.STRANGER, f"a dead letter, {why}: {body[:200]}")
            else:
                entries.append((number, sequence, why))
        self._insert("INSERT INTO letters VALUES (?, ?, ?)", entries)

    def verdict(self) -> Verdict:
        """Compare; every reading's fate is then in the file, by device and sequence."""
        verdict = self._verdict
        fates: list[tuple[int, int, str, str]] = []
        for group in self._groups():
            device = self._devices[group.device]
            name = f"{device.name} {group.sequence}"
            if group.sent is None:
                what = "stored" if group.points else "dead-lettered"
                verdict.note(Fate.STRANGER, f"{name}, {what}")
                continue
            fate, detail = judge(
                group.sent,
                group.points,
                group.reasons,
                whole_seconds=device.whole_seconds,
            )
            arrived = bool(group.points or group.reasons)
            verdict.sent += group.sent.acknowledged or arrived
            verdict.note(fate, f"{name}: {detail}")
            fates.append((group.device, group.sequence, fate.value, detail))
            if len(fates) == _AT_ONCE:
                self._insert("INSERT INTO fates VALUES (?, ?, ?, ?)", fates)
                fates.clear()
        self._insert("INSERT INTO fates VALUES (?, ?, ?, ?)", fates)
        return verdict

    def fate(self, device: int, sequence: int) -> tuple[str, str] | None:
        """What became of a reading, once the verdict was given; None when it was never sent."""
        query = "SELECT fate, detail FROM fates WHERE device = ? AND sequence = ?"
        row = self._db.execute(query, (device, sequence)).fetchone()
        return None if row is None else (row[0], row[1])

    def _groups(self) -> Iterator[_Group]:
        rows = self._db.execute(_MERGED)
        for (device, sequence), group in groupby(rows, key=lambda row: (row[0], row[1])):
            sent = None
            points = []
            reasons = []
            for _, _, what, time, content, text, acknowledged in group:
                if what == 0:
                    sent = Sent(time, content, text, bool(acknowledged))
                elif what == 1:
                    points.append(Point(time, content, text))
                else:
                    reasons.append(content)
            yield _Group(device, sequence, sent, points, reasons)

    def _insert(self, statement: str, entries: Sequence[tuple[Any, ...]]) -> None:
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(statement, entries)


def _identity(body: str) -> tuple[str, int | None]:
    """Sender and sequence as far as a body tells them, however broken it is."""
    if data := _DATA.search(body):
        try:
            raw = base64.b64decode(data[1])
        except binascii.Error:
            return "", None
        sender, sequence = _CBOR_SENDER.search(raw), _CBOR_SEQUENCE.search(raw)
        if sender and sequence:
            digits = sequence[1]
            number = digits[1:] or digits
            return sender[1].decode(), int.from_bytes(number)
        body = raw.decode(errors="replace")
    found = _SEQUENCE.search(body)
    number_of = int(found[1] or found[2]) if found else None
    if two := _SENDER_IN_TWO.search(body):
        return two[1] + two[2], number_of
    one = _SENDER.search(body)
    return (one[1] if one else ""), number_of

"""The ledger finds every lie that is planted in what is stored, and names it."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.devices.builtin import BUILT_IN, find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.simulated import SimulatedDevice, make_fleet
from loadtest.fleet.parsing import parse_profile
from loadtest.fleet.plan import Message, Plan
from loadtest.fleet.profiles import Run
from loadtest.fleet.replay import enter
from loadtest.ledger.book import Book, BookError
from loadtest.ledger.compare import Comparison, Verdict
from loadtest.ledger.judge import pack
from loadtest.ledger.readback import slice_conditions

NOON_MS = 1_795_521_600_000
POISON = "map bad-field"


class Site:
    """A run whose points a test may change before they are compared."""

    def __init__(self, path: Path, *profiles: str, acknowledged: bool = True) -> None:
        self.devices = fleet()
        made = [parse_profile(text) for text in profiles]
        plan = Plan(self.devices, made, Run(5, 1), rate=20, start_ms=NOON_MS)
        self.book = Book.create(path, {"seed": 1})
        self.messages: list[Message] = []
        for tick in plan.ticks():
            enter(self.book, tick)
            self.messages += [message for message in tick.messages if not message.copy]
        if acknowledged:
            self.book.acknowledge([message.row for message in self.messages])
        self.points = {
            (each.sample.device, each.sample.sequence): point(each)
            for each in self.messages
            if not each.expected
        }

    def of(self, number: int, sequence: int = 2) -> dict[str, Any]:
        """The point of a device's reading."""
        return self.points[number, sequence]

    def verdict(
        self, *more: tuple[str, dict[str, Any]], letters: list[tuple[str, str]] | None = None
    ) -> Verdict:
        """Compare with the points there are, some more, and dead letters."""
        self.comparison = Comparison(self.book, self.devices)
        for (number, _), row in self.points.items():
            self.comparison.add_points(self.devices[number].kind.measurement, [row])
        for measurement, row in more:
            self.comparison.add_points(measurement, [row])
        self.comparison.add_letters(letters or [])
        return self.comparison.verdict()


def fleet() -> list[SimulatedDevice]:
    """Ten devices of all built-in kinds: 0 pressure, 1 vehicle, 2 weather, and so on."""
    return make_fleet(find_kinds(list(BUILT_IN)), 10, make_records(3, seed=1), seed=1)


def point(message: Message) -> dict[str, Any]:
    """The right point of a message, as a query returns it."""
    device = message.device
    spread = 123_456_789 if device.kind.whole_seconds else 0
    second = message.sample.time_ms // 1000 * 1000
    time_ms = second if device.kind.whole_seconds else message.sample.time_ms
    values = zip(device.kind.fields, message.sample.values, strict=True)
    return {
        "time": time_ms * 1_000_000 + spread,
        "sensorID": device.sensor,
        "sequence": message.sample.sequence,
        "firmware": message.firmware or None,
        "nobodys": None,
        **{field.stored: value for field, value in values},
        **device.record.tags,
    }


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A run of a hundred readings, all acknowledged, all stored."""
    made = Site(tmp_path / "ledger.sqlite")
    yield made
    made.book.close()


def only(verdict: Verdict, name: str, example: str) -> None:
    """The verdict is wrong for this one reason, which its example names."""
    assert not verdict.exact
    wrong = {
        fate: count
        for fate, count in verdict.as_dict()["fates"].items()
        if fate not in {"stored", "dead-lettered as expected"}
    }
    assert wrong == {name: 1}
    assert len(verdict.examples) == 1
    assert example in verdict.examples[0]


def test_all_is_well(site: Site) -> None:
    """Every reading that was sent is stored as it was: exact, and each reading's fate is kept."""
    verdict = site.verdict()

    assert verdict.exact
    assert verdict.as_dict()["fates"] == {"stored": 100}
    assert (verdict.sent, verdict.as_dict()["enriched"], verdict.examples) == (100, 100, [])
    assert site.comparison.fate(3, 2) == ("stored", "")
    assert site.comparison.fate(3, 99) is None


def test_nothing_sent_is_not_exact(tmp_path: Path) -> None:
    """A run that sent nothing proves nothing."""
    with Book.create(tmp_path / "ledger.sqlite", {}) as book:
        assert not Comparison(book, fleet()).verdict().exact


def test_numbers_are_compared_as_numbers() -> None:
    """A query returns 0 for -0.0 and 900 for 900.0, which is no difference; the rest is."""
    assert pack([-0.0, 900.0, "a"], "") == pack([0, 900, "a"], "")
    assert pack([900.0], "") != pack([900.0000001], "")
    assert pack([0.0], "") != pack([None], "")
    assert pack([1.0], "") != pack([1.0], "2.0.0")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_dropped(site: Site, number: int) -> None:
    """A reading that was acknowledged and is not there is missing, and named."""
    del site.points[number, 2]

    only(site.verdict(), "missing", f"missing: device-{number} 2: it was acknowledged")
    assert site.comparison.fate(number, 2) == ("missing", "it was acknowledged")


@pytest.mark.parametrize(("number", "kind"), [(0, "pressure"), (1, "vehicle"), (2, "weather")])
def test_doubled(site: Site, number: int, kind: str) -> None:
    """A second point of one reading is found, wherever in time it lies."""
    again = {**site.of(number), "time": site.of(number)["time"] + 5_000_000_000}

    only(site.verdict((kind, again)), "stored twice", f"device-{number} 2: 2 points")


@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        (0, "viscosity", 61.5),
        (0, "pressureValue", None),
        (1, "lamp", "broken"),
        (1, "position_latitude", 0.0),
        (2, "temperature", -300),
        (2, "firmware", "9.9.9"),
    ],
)
def test_altered(site: Site, number: int, field: str, value: object) -> None:
    """A value that differs, is gone or came from nowhere is found, and both are shown."""
    site.of(number)[field] = value
    told = float(value) if isinstance(value, int) else value

    verdict = site.verdict()

    only(verdict, "altered", f"device-{number} 2: it is")
    assert repr(told) in verdict.examples[0].partition(", not ")[0]


@pytest.mark.parametrize(
    ("number", "by_ns", "fate", "example"),
    [
        (0, 2_000_000_000, "stored at a later time", "by 2."),
        (1, 1, "stored at a later time", "by 0.000 s"),
        (2, 3_600_000_000_000, "stored at a later time", "by 3600.000 s"),
        (1, -1_000_000, "stored at an earlier time", "by 0.001 s"),
    ],
)
def test_at_another_time(site: Site, number: int, by_ns: int, fate: str, example: str) -> None:
    """A point at another time than its device's, such as that of receiving, is found."""
    site.of(number)["time"] += by_ns

    only(site.verdict(), fate, example)


@pytest.mark.parametrize(
    "change",
    [{"manufacturer": None}, {"family": "other"}, {"stranger": "tag"}, {"metakey": ""}],
)
def test_not_enriched(site: Site, change: dict[str, Any]) -> None:
    """A point with a tag too few, too many or different is found."""
    site.of(1).update(change)

    only(site.verdict(), "not enriched", "device-1 2: its tags are")


@pytest.mark.parametrize(
    ("measurement", "change"),
    [
        ("vehicle", {"sequence": 77}),
        ("vehicle", {"sequence": None}),
        ("vehicle", {"sensorID": "nobody"}),
        ("pressure", {}),
    ],
)
def test_a_stranger(site: Site, measurement: str, change: dict[str, Any]) -> None:
    """A point that nobody sent is found: of an unknown device, sequence or measurement."""
    stranger = {**site.of(1), **change}

    only(site.verdict((measurement, stranger)), "never sent", "never sent: ")


def test_several_lies_at_once(site: Site) -> None:
    """Each is counted as what it is."""
    del site.points[1, 3]
    site.of(2, 3)["humidity"] = 0.5
    site.of(4, 3)["family"] = None
    site.of(5, 3)["time"] += 10**9

    assert site.verdict().as_dict()["fates"] == {
        "altered": 1, "missing": 1, "not enriched": 1, "stored": 96, "stored at a later time": 1,
    }  # fmt: skip


def test_unacknowledged_readings_may_be_there_or_not(tmp_path: Path) -> None:
    """What was not acknowledged is not missed, and what of it is stored must be right."""
    site = Site(tmp_path / "ledger.sqlite", acknowledged=False)
    for number in range(4, 10):
        for sequence in range(1, 11):
            del site.points[number, sequence]
    verdict = site.verdict()
    site.of(1)["speed"] = 99.0

    assert verdict.exact
    assert verdict.sent == 40
    assert verdict.as_dict()["fates"] == {"neither acknowledged nor stored": 60, "stored": 40}
    assert not site.verdict().exact
    site.book.close()


def letters(site: Site, why: str | None = None) -> list[tuple[str, str]]:
    """The dead letters of all poison, as they lie in the queue, with the right reason."""
    made = []
    for message in site.messages:
        if message.expected:
            body = message.payload.decode()
            if not message.device.kind.is_json:
                body = json.dumps({"data": message.payload.hex(), "topic": "t"})
            made.append((body, why or f"{message.expected} and so on"))
    return made


def test_poison(tmp_path: Path) -> None:
    """Poison is to be dead-lettered with its reason; anything else that becomes of it is found."""
    site = Site(tmp_path / "ledger.sqlite", "poison=30%")
    bad = [each for each in site.messages if each.expected and each.device.kind.is_json]
    for message in [each for each in site.messages if each.expected and each not in bad]:
        site.book.db.execute("DELETE FROM sent WHERE row = ?", (message.row,))
    site.messages = [each for each in site.messages if not each.expected or each in bad]
    assert len(bad) > 5

    assert site.verdict(letters=letters(site)).exact
    only(site.verdict(letters=letters(site)[1:]), "missing", "it is poison")
    wrong = [(letters(site)[0][0], "decode not-json"), *letters(site)[1:]]
    only(site.verdict(letters=wrong), "dead-lettered for another reason", "was expected, not")
    stored = point(bad[0])
    only(
        site.verdict((bad[0].device.kind.measurement, stored), letters=letters(site)[1:]),
        "stored although it is poison",
        "was expected",
    )
    site.book.close()


@pytest.mark.parametrize(
    ("stored", "fate"), [(False, "dead-lettered"), (True, "stored and dead-lettered")]
)
def test_a_good_reading_in_a_dead_letter(site: Site, stored: bool, fate: str) -> None:  # noqa: FBT001 - a parameter of a test
    """A good reading must not be dead-lettered, neither instead of being stored nor as well."""
    (message,) = [m for m in site.messages if (m.sample.device, m.sample.sequence) == (1, 2)]
    if not stored:
        del site.points[1, 2]

    only(site.verdict(letters=[(message.payload.decode(), "map bad-tag")]), fate, "map bad-tag")


@pytest.mark.parametrize("body", ["", "{", '{"data":"!"}', '{"device":"nobody","sequence":1}'])
def test_a_dead_letter_that_nobody_sent(site: Site, body: str) -> None:
    """It is counted and shown, however broken it is."""
    only(site.verdict(letters=[(body, "decode not-json")]), "never sent", "decode not-json")


def test_a_dead_letter_of_senml_and_of_one_cut_off_is_recognized(site: Site) -> None:
    """Packed payloads and broken ones still tell whose they are."""
    import base64  # noqa: PLC0415 - for this test alone

    by_key = {(m.sample.device, m.sample.sequence): m for m in site.messages}
    packed = base64.b64encode(by_key[2, 2].payload).decode()
    cut = by_key[0, 2].payload.decode()[:-4]
    del site.points[2, 2], site.points[0, 2]
    verdict = site.verdict(
        letters=[(json.dumps({"data": packed}), "map x"), (cut, "decode not-json")]
    )

    assert verdict.as_dict()["fates"] == {"dead-lettered": 2, "stored": 98}


def test_a_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    """After the generator was killed the book knows its options, its next tick and what is open."""
    path = tmp_path / "ledger.sqlite"
    site = Site(path, acknowledged=False)
    site.book.acknowledge([message.row for message in site.messages[:90]])
    ticks = site.book.next_tick
    reader = sqlite3.connect(path)  # what was written is there without a clean end
    assert reader.execute("SELECT count(*) FROM sent").fetchone() == (100,)
    reader.close()

    with Book(path) as again:
        assert json.loads(again.asked("options") or "") == {"seed": 1}
        assert again.next_tick == ticks == 100
        rows = list(again.all_rows(7))
        assert [row for row, _, _ in rows] == [each.row for each in site.messages]
        assert [known for _, _, known in rows] == [True] * 90 + [False] * 10
        assert again.count("acknowledged") == 90
        assert sum(count for _, count in again.seconds()) == 100
    site.book.close()


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    """It is refused by name, and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("these are notes" * 100)

    with pytest.raises(BookError, match=r"notes\.txt is no ledger"):
        Book(path)
    assert path.read_text().startswith("these")


def test_slices_cover_all_time() -> None:
    """Conditions leave no gap, and each slice has about the rows asked for."""
    seconds = [(100, 5), (101, 5), (102, 1), (200, 30), (201, 1)]

    assert slice_conditions(seconds, 10) == [
        "time < 100s",
        "time >= 100s AND time < 102s",
        "time >= 102s AND time < 201s",
        "time >= 201s",
    ]
    assert slice_conditions([], 10) == ["time < 0s", "time >= 0s"]

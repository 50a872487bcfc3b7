"""The comparison of what was sent with what is stored."""

import json
from typing import Any

import pytest

from loadtest.audit import Audit, Counts
from loadtest.devices import Reading
from loadtest.ledger import Ledger

TAGS = {"metakey": "1", "manufacturer": "Acme Devices Ltd."}
NS = 1_000_000_000


def reading(sequence: int) -> Reading:
    """A reading of sensor "ab", one a second."""
    return Reading("ab", sequence, 900 + sequence, 50, 1_000 + sequence)


def point(sequence: int, **changes: Any) -> dict[str, Any]:
    """The right point of that reading, as a query returns it, with changes."""
    return {
        "time": (1_000 + sequence) * NS + 123_456_789,
        "sensorID": "ab",
        "sequence": sequence,
        "pressureValue": 900.0 + sequence,
        "viscosity": 50.0,
        "other": None,
        **TAGS,
        **changes,
    }


def audit_of(*acknowledged: int, unacknowledged: tuple[int, ...] = ()) -> Audit:
    """An audit after these sequence numbers were published."""
    ledger = Ledger()
    for sequence in (*acknowledged, *unacknowledged):
        ledger.publish(reading(sequence), 0.0)
    for sequence in acknowledged:
        ledger.acknowledge(reading(sequence))
    return Audit(ledger, {"ab": TAGS})


def test_all_is_well() -> None:
    """Every reading sent has its one point with all tags."""
    audit = audit_of(1, 2, 3)
    audit.add_points([point(1), point(2)])
    audit.add_points([point(3)])

    assert audit.counts() == Counts(3, 3, 0, 0, 3, 0)
    assert audit.counts().exact
    assert audit.findings() == []


def test_missing() -> None:
    """A reading that was acknowledged and is not stored is missing, and named."""
    audit = audit_of(1, 2)
    audit.add_points([point(1)])

    assert audit.counts() == Counts(2, 1, 1, 0, 1, 0)
    assert not audit.counts().exact
    assert audit.findings() == ["missing: ('ab', 2)"]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"pressureValue": 900.5}, "pressureValue is 900.5, not 901.0"),
        ({"viscosity": None}, "viscosity is None, not 50.0"),
        ({"time": 1_002 * NS}, "time is 1002000000000, not within second 1001"),
        ({"time": 1_001 * NS - 1}, "time is 1000999999999, not within second 1001"),
    ],
)
def test_a_wrong_value(changes: dict[str, Any], difference: str) -> None:
    """A point with another value or time was never sent, and its reading is missing."""
    audit = audit_of(1)
    audit.add_points([point(1, **changes)])

    assert audit.counts() == Counts(1, 0, 1, 1, 0, 0)
    assert audit.findings()[0] == f"not as sent: ('ab', 1): {difference}"


def test_a_second_point_of_one_reading() -> None:
    """Each reading has exactly one point; any further one is unexpected."""
    audit = audit_of(1)
    audit.add_points([point(1), point(1, time=1_001 * NS)])

    assert audit.counts() == Counts(1, 1, 0, 1, 1, 0)
    assert audit.findings() == ["stored twice: ('ab', 1)"]


@pytest.mark.parametrize(
    "stranger",
    [point(9), point(1, sensorID="cd"), point(1) | {"sequence": None}, {"time": 1, "value": 2}],
)
def test_a_point_that_nobody_sent(stranger: dict[str, Any]) -> None:
    """A point of an unknown sensor, sequence or shape is unexpected."""
    audit = audit_of(1)
    audit.add_points([point(1), stranger])

    assert audit.counts() == Counts(1, 1, 0, 1, 1, 0)


@pytest.mark.parametrize(
    "changes", [{"manufacturer": None}, {"manufacturer": "Other"}, {"extra": "tag"}]
)
def test_not_enriched(changes: dict[str, Any]) -> None:
    """A point with a tag too few, too many or different is stored, but not enriched."""
    audit = audit_of(1)
    audit.add_points([point(1, **changes)])

    assert audit.counts() == Counts(1, 1, 0, 0, 0, 0)
    assert not audit.counts().exact
    assert len(audit.findings()) == 1


def test_unacknowledged() -> None:
    """A reading without acknowledgement is not missed, and counts as sent when it arrived."""
    audit = audit_of(1, unacknowledged=(2, 3))
    audit.add_points([point(1), point(2)])

    assert audit.counts() == Counts(2, 2, 0, 0, 2, 0)
    assert audit.counts().exact


def test_dead_lettered() -> None:
    """A dead-lettered reading is not missing as well, and its reason is told."""
    audit = audit_of(1, 2)
    audit.add_points([point(1)])
    body = json.dumps({"deviceid": "a", "clientid": "b", "sequence": 2})
    audit.add_dead_letter(body, "map bad-field")

    assert audit.counts() == Counts(2, 1, 0, 0, 1, 1)
    assert not audit.counts().exact
    assert audit.findings() == ["dead-lettered: map bad-field"]


@pytest.mark.parametrize("body", ["", "[1]", '{"deviceid": 1}', "null"])
def test_an_unreadable_dead_letter(body: str) -> None:
    """A letter that names no reading is counted all the same."""
    audit = audit_of(1)
    audit.add_points([point(1)])
    audit.add_dead_letter(body, "")

    assert audit.counts() == Counts(1, 1, 0, 0, 1, 1)


def test_the_findings_are_bounded() -> None:
    """However much is wrong, only the first few things are told."""
    audit = audit_of(*range(1, 1_000))

    assert audit.counts().missing == 999
    assert len(audit.findings()) == 10

"""SenML packs and shadow documents."""

from typing import Any

import pytest

from ingestor.core.decode.senml import read_senml
from ingestor.core.decode.shadow import read_shadow
from ingestor.core.message import Rejected

NOW_MS = 1_700_000_000_500


def records(*pack: dict[str, Any]) -> list[dict[str, Any]]:
    """The resolved records of a pack."""
    return read_senml(list(pack), NOW_MS, group=False)


def test_the_example_of_the_standard() -> None:
    """Base names, base times and base units reach every record after them."""
    assert records(
        {"bn": "urn:dev:1:", "bt": 1.3e9, "bu": "A", "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2},
        {"bn": "urn:dev:2:", "n": "current", "vs": "off"},
    ) == [
        {
            "bn": "urn:dev:1:",
            "n": "voltage",
            "name": "urn:dev:1:voltage",
            "t": "1300000000",
            "u": "V",
            "v": 120.1,
        },
        {
            "bn": "urn:dev:1:",
            "n": "current",
            "name": "urn:dev:1:current",
            "t": "1299999995",
            "u": "A",
            "v": 1.2,
        },
        {
            "bn": "urn:dev:2:",
            "n": "current",
            "name": "urn:dev:2:current",
            "t": "1300000000",
            "u": "A",
            "vs": "off",
        },
    ]


@pytest.mark.parametrize(
    ("base", "offset", "time"),
    [
        (0, 0, "1700000000.5"),
        (0, -10, "1699999990.5"),
        (-60, 0.25, "1699999940.75"),
        (1.7e9, 0.125, "1700000000.125"),
        (1_700_000_000, 1, "1700000001"),
    ],
)
def test_times(base: float, offset: float, time: str) -> None:
    """Times below 2**28 count from now; sums are exact."""
    assert records({"bt": base, "n": "a", "t": offset, "v": 1})[0]["t"] == time


def test_base_values() -> None:
    """Base value and sum are added as written; what is missing of a pair counts as zero."""
    pack = [{"bn": "d:", "bv": 20.1, "bs": 5}, {"n": "a", "v": 0.2}, {"n": "b", "s": 1}]

    assert [(each.get("v"), each.get("s")) for each in records(*pack)] == [(20.3, 5), (20.1, 6)]


def test_groups() -> None:
    """Values of one device and time are one reading; the same name again is another."""
    pack = [
        {"bn": "d:", "bt": 1.7e9, "n": "a", "v": 1},
        {"n": "b", "vb": True},
        {"n": "a", "v": 2},
        {"n": "c", "vd": "AQ"},
        {"bn": "e", "v": 3},
    ]

    assert read_senml(pack, NOW_MS, group=True) == [
        {
            "bn": "d:",
            "t": "1700000000",
            "u": {"a": None, "b": None, "c": None},
            "v": {"a": 1},
            "vb": {"b": True},
            "vd": {"c": "AQ"},
        },
        {"bn": "d:", "t": "1700000000", "u": {"a": None}, "v": {"a": 2}},
        {"bn": "e", "t": "1700000000", "u": {"e": None}, "v": {"e": 3}},
    ]


@pytest.mark.parametrize(
    ("pack", "problem"),
    [
        ({}, "is not an array of records"),
        ([1], "record 0: it is not an object"),
        ([{"bn": "d"}, {"n": "a"}], "record 1: it has no value"),
        ([{"v": 1}], "record 0: it has no name"),
        ([{"n": "a", "v": 1, "vs": "x"}], "record 0: it has more than one value"),
        ([{"n": "a", "v": "x"}], "record 0: v has a value of the wrong kind"),
        ([{"n": "a", "v": True}], "record 0: v has a value of the wrong kind"),
        ([{"n": 5, "v": 1}], "record 0: n has a value of the wrong kind"),
        ([{"bver": 11, "n": "a", "v": 1}], "record 0: it has a version above 10"),
        ([{"n": "a", "v": 1, "x_": 1}], "record 0: it has a member that must be understood"),
        ([{"bv": 1e308, "n": "a", "v": 1e308}], "record 0: it is too large for a float"),
    ],
)
def test_refuses(pack: Any, problem: str) -> None:
    """What the standard does not allow is refused, naming the record."""
    with pytest.raises(Rejected, match=problem):
        read_senml(pack, NOW_MS, group=False)


def test_unknown_members_are_ignored() -> None:
    """A member that need not be understood is left alone."""
    assert "x" not in records({"n": "a", "v": 1, "x": 1})[0]


@pytest.mark.parametrize("format_", ["$", None])
def test_shadow_needs_a_state(format_: str | None) -> None:
    """What has no state is no shadow document."""
    with pytest.raises(Rejected, match="it has no `state`"):
        read_shadow({"current": format_})
    with pytest.raises(Rejected, match="it is not an object"):
        read_shadow([])


def test_shadow_delta() -> None:
    """The state of a delta document is the delta itself."""
    assert read_shadow({"state": {"temp": 5}, "version": 1, "timestamp": 2}) == {
        "delta": {"temp": 5},
        "version": 1,
        "timestamp": 2,
    }

"""Times in every usual form."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.timestamps import WholeSeconds, parse_time, spread

NOON = 1_700_000_000 * 10**9  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("value", "ns", "whole_second"),
    [
        ("2023-11-14T22:13:20", 0, True),
        ("2023-11-14 22:13:20", 0, True),
        ("2023-11-14t22:13:20z", 0, True),
        (" 2023-11-14T22:13:20Z ", 0, True),
        ("2023-11-14T23:13:20+01:00", 0, True),
        ("2023-11-14T23:13:20 +0100", 0, True),
        ("2023-11-14T20:13:20-02", 0, True),
        ("2023-11-14T22:13", -20_000_000_000, True),
        ("20231114T221320Z", 0, True),
        ("2023-318T22:13:20", 0, True),
        ("2023-W46-2T22:13:20", 0, True),
        ("2023W462T22", -800_000_000_000, True),
        ("2023-11-14T22:12:60", -20_000_000_000, True),
        ("2023-11-14T24:00:00+02:00", -800_000_000_000, True),
        ("20231114", -80_000_000_000_000, True),
        ("2023-11-14T22:13:20.5Z", 500_000_000, False),
        ("2023-11-14T22:13:20,000", 0, False),
        ("2023-11-14T22:13:20.1234567891", 123_456_789, False),
        (1_700_000_000, 0, True),
        ("1700000000", 0, True),
        ("1700000000.000000001", 1, False),
        (1_700_000_000.25, 250_000_000, False),
        (1_700_000_000_001, 1_000_000, False),
        ("1700000000001", 1_000_000, False),
        (1_700_000_000_000_001, 1_000, False),
        (1_700_000_000_000_000_001, 1, False),
        (1.7e18, 0, False),
    ],
)
def test_forms(value: object, ns: int, whole_second: bool) -> None:  # noqa: FBT001 - a table
    """ISO with and without zone, and epoch numbers of all units, name the same moment."""
    assert parse_time(value) == (NOON + ns, whole_second)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001 - made aware below
    st.integers(-14 * 60, 14 * 60),
)
def test_agrees_with_datetime(moment: datetime, minutes: int) -> None:
    """Any moment written with any offset is the moment that datetime says it is."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    assert parse_time(aware.isoformat())[0] == expected * 1000


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("yesterday", "neither ISO 8601 nor an epoch number"),
        ("", "neither ISO 8601 nor an epoch number"),
        ("1e9", "neither ISO 8601 nor an epoch number"),
        ("NaN", "neither ISO 8601 nor an epoch number"),
        ("٢٠٢٣-11-14T22:13:20", "neither ISO 8601 nor an epoch number"),
        ("2023-02-30T00:00:00", "no such date"),
        ("2023-366T00:00:00", "no such date"),
        ("2023-11-14T24:00:01", "no such date"),
        ("9999-12-31T24:00:00", "no such date"),
        ("1" * 21, "neither ISO 8601 nor an epoch number"),
        ("2023-01-01T25:00:00", "no such date"),
        (True, "neither a text nor a number"),
        (["2023"], "neither a text nor a number"),
    ],
)
def test_refuses(value: object, problem: str) -> None:
    """What is no time is an error that does not repeat the value."""
    with pytest.raises(ValueError, match=problem):
        parse_time(value)


@pytest.mark.parametrize(
    ("unit", "value", "ns"),
    [
        ("s", 5_000_000_000_000, 5_000_000_000_000 * 10**9),
        ("ms", 5, 5_000_000),
        ("us", "5.5", 5_500),
        ("ns", "5", 5),
    ],
)
def test_units(unit: str, value: object, ns: int) -> None:
    """A unit that is given is not told by the size."""
    assert parse_time(value, unit)[0] == ns


@given(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_answers_or_refuses(value: object) -> None:
    """No value makes it fail in another way."""
    with contextlib.suppress(ValueError):
        assert isinstance(parse_time(value)[0], int)


@given(st.binary(), st.binary())
def test_spread_stays_within_its_second(one: bytes, other: bytes) -> None:
    """The same content lands on the same nanosecond of its own second."""
    assert 0 <= spread(NOON, one) - NOON < 10**9
    assert (spread(NOON, one) == spread(NOON, other)) or one != other


def test_spread_keeps_readings_apart() -> None:
    """A thousand different readings of one second take a thousand different moments."""
    assert len({spread(NOON, str(n).encode()) for n in range(1000)}) == 1000


def test_whole_seconds_remember_a_bounded_number() -> None:
    """The moments of a fleet are remembered, and forgotten before they are too many."""
    seconds = WholeSeconds(past_ns=10**9, future_ns=2 * 10**9, most=2)

    moments = [seconds.learn(f"2023-11-14T22:13:2{n}") for n in range(3)]

    assert [each and each[0] for each in moments] == [NOON, NOON + 10**9, NOON + 2 * 10**9]
    assert seconds.known == {"2023-11-14T22:13:22": moments[2]}


@pytest.mark.parametrize(
    "text", ["", "2023-11-14 22:13:20", "2023-11-14T22:13:20Z", "2023-02-30T22:13:20"]
)
def test_other_forms_are_no_whole_seconds(text: str) -> None:
    """Another form, or no such day: for the complete parser to judge."""
    assert WholeSeconds(past_ns=10**9, future_ns=10**9).learn(text) is None


@given(
    past_ns=st.integers(0, 10**12),
    future_ns=st.integers(0, 10**12),
    off=st.integers(-(10**7), 10**7),
)
def test_whole_seconds_know_their_window(past_ns: int, future_ns: int, off: int) -> None:
    """To the millisecond, at both ends."""
    seconds = WholeSeconds(past_ns=past_ns, future_ns=future_ns)
    sent_at_ms = NOON // 10**6 + off

    seen = seconds.learn("2023-11-14T22:13:20")

    assert seen is not None
    within = -future_ns <= sent_at_ms * 10**6 - NOON <= past_ns
    assert (seen[1] <= sent_at_ms <= seen[2]) == within

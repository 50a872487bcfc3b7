"""The function that the mapping is measured against does all that the mapping does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Rejected
from ingestor.core.metadata import Metadata
from loadtest.bench.byhand import ByHand

SENT_AT_MS = 1_700_000_000_000
RECORD = Metadata(
    {
        "manufacturer": "Acme, Ltd.",
        "family": "a=b c",
        "sensorID": "not this",
        "time": "reserved",
        "": "no name",
        "odd": "ends with \\",
        "long": "x" * 5000,
        "ünïcode": "ä",
    }
)
CROWDED = Metadata({f"tag{n}": "x" for n in range(120)})


class Records(dict[str, Metadata | None]):
    """Answers for every key; some have a record."""

    def __missing__(self, key: str) -> Metadata | None:
        return None


RECORDS = Records({"known": RECORD, "crowded": CROWDED})
ENCODER = Encoder(parse_mapping(DEFAULT_MAPPING))
BY_HAND = ByHand(most_series=50)


def mapped(text: str) -> bytes | None:
    """The line that the mapping makes, None when it refuses."""
    try:
        route, opened = ENCODER.open(text, sent_at_ms=SENT_AT_MS)
        key = route.metadata_key(opened.readings[0], opened)
        record = None if key is None else RECORDS[key]
        (line,) = route.encode(opened, [record], sent_at_ms=SENT_AT_MS)
    except Rejected:
        return None
    return line


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["12", " 1.5 ", "1_0", "nan", "1e400", "a\\", "a\nb", "x" * 3000, [], [[1]], {}]
    ),
)
NUMBERS = st.one_of(st.integers(-2000, 2000), st.floats(-1e6, 1e6), SCALARS)
NAMES = st.one_of(st.text("abc,= é", min_size=1, max_size=5), SCALARS)
TIMES = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.integers(0, 1000).map(lambda n: f"2023-11-{n % 28 + 1:02d}T22:13:{n % 60:02d}"),
    st.sampled_from(["2023-11-14T22:13:20Z", "2023-11-14 22:13:20", "1700000000", "T::", ""]),
    st.sampled_from([1_700_000_000, 1_700_000_000_000, 1_700_000_000.5]),
    SCALARS,
)
READINGS = st.fixed_dictionaries(
    {"deviceid": NAMES, "clientid": NAMES, "pressure": NUMBERS},
    optional={
        "viscosity": NUMBERS,
        "sensordatetime": TIMES,
        "metakey": st.one_of(st.sampled_from(["known", "crowded", "other", "k" * 300]), SCALARS),
        "_id_": SCALARS,
        "topic": SCALARS,
        "received_at": TIMES,
    },
)


def usual(number: int) -> dict[str, Any]:
    """A reading as the seed's devices send it."""
    return {
        "pressure": number,
        "viscosity": number / 7,
        "sensordatetime": f"2023-11-14T22:13:{number % 60:02d}",
        "deviceid": f"d{number}",
        "clientid": "c 1",
        "metakey": "known",
        "topic": "pressure/data",
        "received_at": SENT_AT_MS,
    }


@given(reading=READINGS)
def test_the_same_line_or_a_refusal_by_both(reading: dict[str, Any]) -> None:
    """Byte for byte, whatever the members of a reading hold."""
    text = json.dumps(reading)
    assert BY_HAND.line(text, RECORDS, sent_at_ms=SENT_AT_MS) == mapped(text)


@given(number=st.integers(-(10**6), 10**6))
def test_the_usual_reading_has_the_same_line(number: int) -> None:
    """The one that is measured."""
    text = json.dumps(usual(number))
    line = BY_HAND.line(text, RECORDS, sent_at_ms=SENT_AT_MS)
    assert line is not None
    assert line == mapped(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"pressure": NaN}',
        '{"deviceid": "\ud800"}',
        "[" * 100_000,
        '{"a":' * 40 + "1" + "}" * 40,
        ' {"deviceid": "d", "clientid": "c", "pressure": 1}',
        '{"deviceid": "d", "clientid": "c", "pressure": 1, "deep": {"er": [1]}}',
        '{"deviceid": "d", "clientid": "c", "pressure": 1, "pressure": 2}',
    ],
)
def test_what_is_hardly_a_reading(text: str) -> None:
    """Both refuse the same texts, and take the same ones."""
    assert BY_HAND.line(text, RECORDS, sent_at_ms=SENT_AT_MS) == mapped(text)


def test_the_memory_of_series_is_bounded() -> None:
    """A series that was forgotten is made again, and is the same."""
    by_hand = ByHand(most_series=2)
    texts = [json.dumps(usual(number)) for number in range(5)] * 2
    for text in texts:
        assert by_hand.line(text, RECORDS, sent_at_ms=SENT_AT_MS) == mapped(text)

"""Bodies into readings."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Reason, Rejected

ENCODER = Encoder(parse_mapping(DEFAULT_MAPPING))

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


def decode(body: str) -> list[Any]:
    """The readings of a message."""
    return ENCODER.open(body, sent_at_ms=0)[1].readings


@given(st.dictionaries(st.text(), JSON))
def test_reads_any_object(reading: dict[str, object]) -> None:
    """Every JSON object comes back as it was written."""
    assert decode(json.dumps(reading)) == [json.loads(json.dumps(reading))]


@given(st.text())
def test_refuses_or_returns_objects(body: str) -> None:
    """Whatever the text, the answer is a list of objects or a rejection, never another error."""
    try:
        readings = decode(body)
    except Rejected:
        return
    assert all(isinstance(each, dict) for each in readings)


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        ("", Reason.NOT_JSON, "the body is empty"),
        (" \n", Reason.NOT_JSON, "the body is empty"),
        ('{"pressure": ', Reason.NOT_JSON, "the body is not JSON: Input data was truncated"),
        ('{"a": NaN}', Reason.NOT_JSON, "byte 6"),
        ('{"a": Infinity}', Reason.NOT_JSON, "byte 6"),
        ('{"a": 1e400}', Reason.NOT_JSON, "out of range"),
        ('{"a": "\\ud800 and more"}', Reason.NOT_JSON, "surrogate"),
        ('{"a": "\ud800"}', Reason.NOT_JSON, "invalid Unicode"),
        ('\ufeff{"a": 1}', Reason.NOT_JSON, "byte 0"),
        ('{"a": ' + "1" * 5000 + "}", Reason.NOT_JSON, "out of range"),
        (
            '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
            Reason.TOO_DEEP,
            "nested deeper than 32 levels",
        ),
        ("[1]", Reason.NOT_AN_OBJECT, "the body is an array, not an object"),
        ('"text"', Reason.NOT_AN_OBJECT, "the body is a string, not an object"),
        ("null", Reason.NOT_AN_OBJECT, "the body is null, not an object"),
        ("true", Reason.NOT_AN_OBJECT, "the body is true or false, not an object"),
        ("1", Reason.NOT_AN_OBJECT, "the body is a number, not an object"),
        ("1.5", Reason.NOT_AN_OBJECT, "the body is a number, not an object"),
    ],
)
def test_refuses(body: str, reason: Reason, detail: str) -> None:
    """What cannot be read is rejected with a reason that says where or what."""
    with pytest.raises(Rejected) as rejection:
        decode(body)

    assert rejection.value.stage == "decode"
    assert rejection.value.reason == reason
    assert detail in rejection.value.detail


def test_detail_holds_nothing_of_the_body() -> None:
    """A payload never leaks into the reason."""
    with pytest.raises(Rejected) as rejection:
        decode('{"password": hunter2}')

    assert "hunter2" not in rejection.value.detail


def test_last_of_two_equal_names() -> None:
    """A name given twice has its last value, as in every common parser."""
    assert decode('{"a": 1, "a": 2}') == [{"a": 2}]


def test_large_body() -> None:
    """A body of a mebibyte is read like any other."""
    [reading] = decode(json.dumps({"a": "x" * 2**20, "b": math.pi}))

    assert len(reading["a"]) == 2**20
    assert reading["b"] == math.pi

"""Rows 41 and 44: values that no field can hold, and records that are too much."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rig import reading

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Reason, Rejected
from ingestor.core.metadata import Metadata

SENT_AT_MS = 1_700_000_000_000

TYPES = """\
[[routes]]
measurement = "m"
[routes.fields]
f = { path = "f", type = "float" }
i = { path = "i", type = "integer" }
b = { path = "b", type = "boolean" }
"""
VALUES = (
    st.none()
    | st.booleans()
    | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**400, 1e308, -0.0])
    | st.sampled_from(["", " ", "12.5", "7", "nan", "-Infinity", "1e999", "1_0", "high", "true"])
    | st.integers()
    | st.floats()
    | st.lists(st.integers(), max_size=1)
    | st.dictionaries(st.just("v"), st.integers(), max_size=1)
)
NUMBERS = {"12.5": 12.5, "7": 7}
"""The texts among them that are numbers."""


def lines_of(mapping: str, body: str, record: Metadata | None = None) -> list[bytes]:
    """The lines of a message, or Rejected."""
    route, opened = Encoder(parse_mapping(mapping)).open(body, sent_at_ms=SENT_AT_MS)
    return route.encode(opened, [record] * len(opened.readings), sent_at_ms=SENT_AT_MS)


def as_float(value: Any) -> float | None:
    """What a float field may hold of a value; None where it must be refused."""
    value = NUMBERS.get(value, value) if isinstance(value, str) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def as_integer(value: Any) -> int | None:
    """The same of an integer field."""
    number = as_float(value)
    if number is None or not number.is_integer():
        return None
    exact = value if isinstance(value, int) else int(number)
    return exact if -(2**63) <= exact < 2**63 else None


def as_boolean(value: Any) -> bool | None:
    """The same of a boolean field."""
    return True if value == "true" else value if isinstance(value, bool) else None


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={"f": VALUES, "i": VALUES, "b": VALUES}))
def test_f41_values_that_are_none(values: dict[str, Any]) -> None:
    """A field is stored as the very value that was sent, or the message is refused for a reason."""
    body = json.dumps(values)
    given_values = {n: v for n, v in values.items() if v is not None and v != ""}
    expected = {
        name: take(given_values[name])
        for name, take in (("f", as_float), ("i", as_integer), ("b", as_boolean))
        if name in given_values
    }
    line, rejection = b"", None
    try:
        [line] = lines_of(TYPES, body)
    except Rejected as refused:
        rejection = refused
    if rejection is not None:
        assert None in expected.values() or not expected, rejection.detail
        if not expected:
            assert rejection.reason is Reason.NO_FIELDS
        return

    measurement, fields, stamp = line.decode().split(" ")
    assert (measurement, stamp) == ("m", f"{SENT_AT_MS}000000")
    found = dict(pair.split("=") for pair in fields.split(","))
    assert found.keys() == expected.keys()
    for name, text in found.items():
        read = json.loads(text.removesuffix("i"))
        assert text.endswith("i") is (name == "i")
        assert repr(read) == repr(expected[name])


def test_f44_huge_records() -> None:
    """Of a record with thousands of tags or huge values no more is stored than limits allow."""
    body = reading(1, pressure=1)
    many = Metadata({f"tag{n}": "x" for n in range(10_000)} | {"family": "sensors"})
    long = Metadata({"family": "sensors", "note": "x" * 65_536})
    allowing = DEFAULT_MAPPING.replace(
        'missing = "write"', 'missing = "write"\ninclude = ["family"]'
    )

    with pytest.raises(Rejected) as refused:
        lines_of(DEFAULT_MAPPING, body, many)
    assert refused.value.reason is Reason.TOO_MANY_TAGS
    assert "10002" in refused.value.detail
    [line] = lines_of(DEFAULT_MAPPING, body, long)
    assert line.startswith(b"pressure,family=sensors,sensorID=d1c pressureValue=1.0 ")
    assert lines_of(allowing, body, many) == [line]

"""Values of readings as line protocol."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.scalars import (
    boolean_text,
    float_text,
    integer_text,
    scalar_text,
    string_text,
)


@pytest.mark.parametrize(
    ("to_text", "value", "text"),
    [
        (float_text, 10, "10.0"),
        (float_text, 10.5, "10.5"),
        (float_text, " 10.50 ", "10.5"),
        (float_text, "-1e3", "-1000.0"),
        (float_text, 1e22, "1e+22"),
        (integer_text, 10, "10i"),
        (integer_text, 10.0, "10i"),
        (integer_text, " -10 ", "-10i"),
        (integer_text, -(2**63), "-9223372036854775808i"),
        (boolean_text, True, "true"),
        (boolean_text, "False", "false"),
        (string_text, 'a "b" \\', '"a \\"b\\" \\\\"'),
        (string_text, 10.0, '"10"'),
        (scalar_text, True, "true"),
        (scalar_text, False, "false"),
        (scalar_text, 10, "10"),
        (scalar_text, 10.0, "10"),
        (scalar_text, 10.5, "10.5"),
    ],
)
def test_texts(to_text: Callable[[object], str], value: object, text: str) -> None:
    """Values that fit a type are written as InfluxDB reads them."""
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("to_text", "value", "problem"),
    [
        (float_text, "high", "it is a text that is not a number"),
        (float_text, "1_000", "it is a text that is not a number"),
        (float_text, "nan", "it is not a finite number"),
        (float_text, "1e400", "it is not a finite number"),
        (float_text, 10**400, "it is too large for a float"),
        (float_text, True, "it is a boolean, not a number"),
        (float_text, [1], "it is an array, not a number"),
        (float_text, {}, "it is an object, not a number"),
        (integer_text, "1.5", "it is a text that is not a whole number"),
        (integer_text, 1.5, "it has a fraction, and the field is an integer"),
        (integer_text, 2**63, "it does not fit into 64 bits"),
        (integer_text, "9223372036854775808", "it does not fit into 64 bits"),
        (integer_text, 1e300, "it does not fit into 64 bits"),
        (integer_text, False, "it is a boolean, not a whole number"),
        (boolean_text, 1, "it is a number, not a boolean"),
        (boolean_text, "yes", "it is a text, not a boolean"),
        (string_text, [], "it is an array, not a text, number or boolean"),
        (string_text, "a\0b", r"it holds the control character U\+0000"),
    ],
)
def test_refuses(to_text: Callable[[object], str], value: object, problem: str) -> None:
    """A value that does not fit its type is refused; the type is never bent to the value."""
    with pytest.raises(ValueError, match=problem):
        to_text(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(value: float) -> None:
    """A float is read back as the same float."""
    assert float(float_text(value)) == value


@given(st.integers(-(10**15), 10**15))
def test_tags_ignore_the_fraction_zero(value: int) -> None:
    """10 and 10.0 are the same tag value, because IoT SQL may turn one into the other."""
    assert scalar_text(value) == scalar_text(float(value))

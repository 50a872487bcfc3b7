"""InfluxQL: whatever a device calls itself stays a name or a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.influxql import Bound, condition, identifier, select

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def scan(text: str) -> tuple[str, str]:
    """One quoted identifier as InfluxDB's scanner reads it, and what follows it."""
    assert text[0] == '"'
    name = ""
    at = 1
    while text[at] != '"':
        assert text[at] != "\n", "a line end within quotes ends the statement"
        if text[at] == "\\":
            at += 1
            name += {"n": "\n", "\\": "\\", '"': '"', "'": "'"}[text[at]]
        else:
            name += text[at]
        at += 1
    return name, text[at + 1 :]


@given(TEXTS)
def test_an_identifier_is_one_name(name: str) -> None:
    """It is read back as it was, and nothing is left over."""
    assert scan(identifier(name)) == (name, "")


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_is_no_name(name: str) -> None:
    """InfluxDB could not read it: NUL is the end of a statement."""
    with pytest.raises(ValueError, match="no name"):
        identifier(name)


@given(st.dictionaries(TEXTS, st.text(), min_size=1, max_size=3), st.text())
def test_values_are_bound(tags: dict[str, str], value: str) -> None:
    """No value is in the statement; each is a parameter of its own."""
    bound = Bound()
    text = condition([tags, {"device": value}], bound)
    assert list(bound.values.values()) == [*tags.values(), value]
    rest = text.removeprefix(" AND ((")
    for n, name in enumerate(tags):
        found, rest = scan(rest.removeprefix(" AND "))
        assert found == name
        assert rest.startswith(f" = $v{n}")
        rest = rest.removeprefix(f" = $v{n}")
    assert rest == f') OR ("device" = $v{len(tags)}))'


def test_statements() -> None:
    """The whole of a statement, with and without its parts."""
    assert select("*::field", 'a"b', begin_ns=1) == ('SELECT *::field FROM "a\\"b" WHERE time >= 1')
    bound = Bound()
    assert select(
        'mean("v")',
        "m",
        begin_ns=1,
        end_ns=2,
        where=condition([{"k": "x"}], bound),
        group=("time(5ns)", identifier("k")),
        rest="fill(none)",
    ) == (
        'SELECT mean("v") FROM "m" WHERE time >= 1 AND time < 2 AND (("k" = $v0)) '
        'GROUP BY time(5ns), "k" fill(none)'
    )
    assert condition([], bound) == ""

"""The place in a payload that a rejection speaks of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.encode import Encoder
from ingestor.core.locate import locate
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.metadata import Metadata
from ingestor.core.sample import Sample, keys_of, try_out

TEXT = '{"a": {"b": [1, {"c": "x, y"}], "": null}, "ü": "wert", "list": [[5], []]}'


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[1].c", '"x, y"'),
        ("a.b[0]", "1"),
        ("a.b", '[1, {"c": "x, y"}]'),
        ("ü", '"wert"'),
        ("list[0][0]", "5"),
        ("c", '"x, y"'),
        ("b[1].c", '"x, y"'),
        ("$body.ü", '"wert"'),
    ],
)
def test_a_path_leads_to_its_value(path: str, found: str) -> None:
    """From the outside, or from any object within: a reading may lie deeper in the message."""
    place = locate(TEXT, f"{path}: it is wrong")
    assert place is not None
    assert TEXT[place.start : place.end] == found
    assert place.path == path


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "it is wrong",
        "nowhere: it is missing",
        "a.nowhere: it is missing",
        "a.b[7]: it is missing",
        "no path at all!: it is wrong",
        "$topic: it is wrong",
    ],
)
def test_no_place(detail: str) -> None:
    """None where the detail names nothing that is there."""
    assert locate(TEXT, detail) is None


def test_where_it_stops_being_json() -> None:
    """Bytes become characters; beyond the end is the end."""
    text = '{"ü": x}'
    assert text[slice(*(locate(text, "it is not JSON: … (byte 7)") or ())[:2])] == "x"
    assert locate(text, "it is not JSON: … (byte 700)") == (8, 8, "")


@pytest.mark.parametrize("text", ["", "x", "{", '{"a"', "[" * 5000, '{"b": ', "x" * 300_000])
def test_what_is_no_json_has_no_places(text: str) -> None:
    """Nor does what is too long or too deep to be looked through."""
    assert locate(text, "a: it is wrong") is None


def test_deep_but_not_endless() -> None:
    """What is nested deeper than any payload may be is not looked through."""
    text = '{"x":' * 60 + '{"deep": 1}' + "}" * 60
    assert locate(text, "deep: it is wrong") is None
    assert locate(text, "x.deep: it is wrong") is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    st.text(max_size=8),
)
def test_any_payload(payload: object, path: str) -> None:
    """A place that is found holds a JSON value; nothing is ever raised."""
    text = json.dumps(payload, ensure_ascii=False)
    place = locate(text, f"{path}: it is wrong")
    if place is not None:
        json.loads(text[place.start : place.end])


def test_keys_of_a_sample() -> None:
    """The records that are needed to try it; none where it cannot be read."""
    encoder = Encoder(parse_mapping(DEFAULT_MAPPING))
    good = b'{"pressure": 1, "deviceid": "d", "clientid": "c", "metakey": "k"}'
    assert keys_of(encoder, Sample("", good, None, is_payload=False), 0) == ["k"]
    assert keys_of(encoder, Sample("", good, "t", is_payload=True), 0) == ["k"]
    assert keys_of(encoder, Sample("", b'{"deviceid": "d"}', None, is_payload=False), 0) == []
    assert keys_of(encoder, Sample("", b"\xff", None, is_payload=False), 0) == []
    outcome = try_out(
        encoder, Sample("", good, None, is_payload=False), {"k": Metadata({"a": "b"})}, 10**12
    )
    assert "a=b" in outcome.lines[0]

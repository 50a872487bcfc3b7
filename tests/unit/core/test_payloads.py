"""Payloads of every encoding, whole and damaged."""

import base64
import contextlib
import gzip
import json
import zlib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.decode import PayloadReader
from ingestor.core.decode.plain import check_depth, plain
from ingestor.core.decode.unpack import unpack
from ingestor.core.mapping import parse_mapping
from ingestor.core.message import Reason, Rejected

MOST = 1000
ROUTE = "[[routes]]\nmeasurement = 'm'\n[routes.fields]\nv = { path = 'v' }\n[routes.payload]\n"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def reader(payload: str, limits: str = "") -> PayloadReader:
    """The reader of a route with this payload table."""
    mapping = parse_mapping(limits + ROUTE + payload)
    return PayloadReader(mapping.routes[0].payload, mapping.limits)


def read(payload: str, published: bytes, limits: str = "") -> list[Any]:
    """The readings of what a device published."""
    return reader(payload, limits).of_device(None, published, 0)[1]


def refusal(payload: str, published: bytes, limits: str = "") -> tuple[Reason, str]:
    """Why it is refused."""
    with pytest.raises(Rejected) as rejection:
        read(payload, published, limits)
    return rejection.value.reason, rejection.value.detail


def cbor(options: str = "") -> str:
    """The payload table of CBOR."""
    return f"format = 'cbor'\nunpack = ['base64']\n{options}"


@given(st.binary())
def test_unpacking_undoes_packing(payload: bytes) -> None:
    """What is packed comes back, whichever way and however often it was packed."""
    packed = gzip.compress(zlib.compress(payload))
    text = base64.urlsafe_b64encode(packed).rstrip(b"=")
    lines = b"\r\n".join(text[n : n + 76] for n in range(0, len(text), 76))

    assert unpack(lines, ("base64", "gzip", "zlib"), MOST) == payload
    assert unpack(packed.hex(" ").encode(), ("hex", "gzip", "zlib"), MOST) == payload
    two = gzip.compress(payload) + gzip.compress(b"more")
    assert unpack(two, ("gzip",), MOST) == payload + b"more"


@pytest.mark.parametrize(
    ("step", "payload", "reason", "detail"),
    [
        ("base64", b"a", Reason.BAD_ENCODING, "base64: it is no base64 text"),
        ("base64", b"a\xff", Reason.BAD_ENCODING, "base64: it is no base64 text"),
        ("hex", b"abc", Reason.BAD_ENCODING, "hex: it is no text of pairs"),
        ("gzip", b"", Reason.BAD_ENCODING, "gzip: it is empty"),
        ("gzip", b"text", Reason.BAD_ENCODING, "gzip: it is damaged, or packed in another way"),
        ("gzip", gzip.compress(b"x", mtime=0)[:-1], Reason.BAD_ENCODING, "gzip: it ends too early"),
        ("zlib", zlib.compress(b"x") + b"y", Reason.BAD_ENCODING, "something follows"),
        (
            "gzip",
            gzip.compress(b"x" * (MOST + 1), mtime=0),
            Reason.TOO_LARGE,
            "more than 1000 bytes",
        ),
        ("gzip", gzip.compress(b"x" * 600, mtime=0) * 2, Reason.TOO_LARGE, "more than 1000 bytes"),
        ("deflate", zlib.compress(b"x" * 10**7)[2:-4], Reason.TOO_LARGE, "more than 1000 bytes"),
    ],
)
def test_damaged(step: str, payload: bytes, reason: Reason, detail: str) -> None:
    """What cannot be unpacked, or becomes too large, is refused with the name of the step."""
    with pytest.raises(Rejected) as rejection:
        unpack(payload, (step,), MOST)

    assert rejection.value.reason is reason
    assert detail in rejection.value.detail


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    """No bytes make a decoder fail in another way, and what it gives is like JSON."""
    for options in (cbor(), "format = 'messagepack'\nunpack = ['hex']\n", "format = 'ndjson'"):
        with contextlib.suppress(Rejected):
            readings = read(options, payload)
            assert json.loads(msgspec.json.encode(readings)) == readings


@given(st.dictionaries(st.text(), JSON))
def test_binary_formats_say_what_json_says(reading: dict[str, Any]) -> None:
    """A reading in CBOR or MessagePack is the reading that JSON would have given."""
    expected = json.loads(json.dumps(reading), parse_constant=lambda _: None)

    assert read(cbor(), cbor2.dumps(reading)) == [expected]
    as_messagepack = msgspec.msgpack.encode(reading)
    assert read("format = 'messagepack'\nunpack = ['base64']", as_messagepack) == [expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x01\xff", "01ff"),
        (date(2023, 11, 14), "2023-11-14"),
        (Decimal("1.5"), 1.5),
        (Decimal("sNaN"), None),
        (Fraction(1, 4), 0.25),
        (2**64, float(2**64)),
        (10**400, None),
        (float("inf"), None),
        ((1, [2]), [1, [2]]),
        (frozenset([1]), [1]),
        (cbor2.CBORSimpleValue(99), None),
        (cbor2.undefined, None),
        ({1: 2, b"\x0a": 3}, {"1": 2, "0a": 3}),
    ],
)
def test_values_that_json_lacks(value: object, expected: object) -> None:
    """Bytes, dates and decimals become what JSON has nearest; what has no like is null."""
    assert plain(value, depth=3, most_values=10) == expected


def test_references_do_not_blow_up() -> None:
    """Small data that refers to its own parts again and again is refused."""
    inner: list[Any] = [1]
    for _ in range(20):
        inner = [inner, inner]
    with pytest.raises(ValueError, match="refers to its own parts again and again"):
        plain(inner, depth=200, most_values=1000)

    cycle = b"\xd8\x1c\x82\xd8\x1d\x00\xd8\x1d\x00"
    assert refusal(cbor(), cycle) == (
        Reason.NOT_CBOR,
        "the payload is not CBOR: it refers to its own parts again and again",
    )


@pytest.mark.parametrize(
    ("options", "payload", "reason", "detail"),
    [
        (cbor(), b"\xa0\x00", Reason.NOT_CBOR, "something follows after its end"),
        (cbor(), b"\xa1\xf6\x00", Reason.NOT_CBOR, "a name in it is neither text nor number"),
        (cbor(), b"\x81" * 100 + b"\x00", Reason.TOO_DEEP, "deeper than 32 levels"),
        (cbor(), b"\x81" * 5000 + b"\x00", Reason.TOO_DEEP, "deeper than 32 levels"),
        (cbor(), b"\xc1\xfb\x7f\xf0\0\0\0\0\0\0", Reason.NOT_CBOR, "CBORDecodeValueError"),
        (
            "format = 'messagepack'\nunpack = ['hex']",
            b"\x91" * 5000 + b"\x00",
            Reason.TOO_DEEP,
            "deeper than 32 levels",
        ),
        (
            "format = 'messagepack'\nunpack = ['hex']",
            b"\xa1\xff",
            Reason.NOT_MESSAGEPACK,
            "the payload is not MessagePack: UnicodeDecodeError",
        ),
        ("format = 'ndjson'", b"[1]", Reason.NOT_AN_OBJECT, "the body is an array"),
        ("format = 'ndjson'", b"", Reason.NO_READINGS, "there is no reading"),
        ("readings = 'a'", b'{"a": 1}', Reason.BAD_READINGS, "a: it is a number, not an array"),
        (
            "readings = 'a'\ncolumns = ['t']",
            b'{"a": [1]}',
            Reason.BAD_READINGS,
            "a: it is an array, not an object of columns",
        ),
        (
            "readings = '$message'\ncolumns = ['t', 'v']",
            b'{"t": [1], "v": 2}',
            Reason.BAD_READINGS,
            "the payload: the column v is not an array",
        ),
    ],
)
def test_refuses(options: str, payload: bytes, reason: Reason, detail: str) -> None:
    """What is not as the route says is refused, with the place."""
    found, text = refusal(options, payload)

    assert found is reason
    assert detail in text


def test_ndjson_with_arrays() -> None:
    """Each line may hold several readings, and the limit counts them all."""
    options = "format = 'ndjson'\nreadings = 'r'"
    lines = b'{"r": [{"v": 1}, {"v": 2}]}\n{"r": [{"v": 3}]}\n'

    assert read(options, lines) == [{"v": 1}, {"v": 2}, {"v": 3}]
    assert refusal(options, lines, "limits.readings = 2\n")[0] is Reason.TOO_MANY_READINGS


def test_ndjson_is_not_read_beyond_the_limit() -> None:
    """What follows after too many lines is not even looked at."""
    lines = b'{"v": 1}\n' * 4 + b"no JSON"

    assert refusal("format = 'ndjson'", lines, "limits.readings = 3\n") == (
        Reason.TOO_MANY_READINGS,
        "there are more than 3 readings in the payload",
    )


def test_payload_that_is_no_text() -> None:
    """A part of the message that should be unpacked and is no text is refused."""
    with pytest.raises(Rejected, match="data: it is not a text, and cannot be unpacked"):
        reader("path = 'data'\nunpack = ['base64']").of_message({"data": 5}, "", 0)


def test_payload_within_json() -> None:
    """A part of the message that is JSON already is taken as it is."""
    message, readings = reader("path = 'data'").of_message({"data": {"v": 1}}, "", 0)

    assert message == readings[0] == {"v": 1}


def test_published_json_with_its_payload_inside() -> None:
    """What a device published may hold the payload at its path, as the rule's message does."""
    body = {"data": base64.b64encode(b'{"v": 1}').decode()}

    _, readings = reader("path = 'data'\nunpack = ['base64']").of_device(body, b"", 0)

    assert readings == [{"v": 1}]


def test_depth() -> None:
    """Depth counts arrays and objects from the outermost."""
    check_depth(1, 1)
    check_depth([1], 1)
    check_depth({"a": [1]}, 2)
    with pytest.raises(Rejected, match="deeper than 1 levels"):
        check_depth({"a": [1]}, 1)

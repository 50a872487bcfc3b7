"""Generated messages for routes of every kind, most of them odd and some of them broken."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cbor2
import msgspec
from hypothesis import strategies as st

TOPIC = "plant/7/data"
SENT_AT_MS = 1_700_000_000_400

_NAMES = [
    "v", "w", "t", "id", "a b", "a,b", "a=b", "ü", '"q"', "\\", "a\\", "x\\,y", "#c", "", "time",
    "_value", "deep.er", "new\nline", "site", "nul\0", "'", "{}", "1", "$x", "x" * 300,
]  # fmt: skip
_TEXTS = [
    "", "a", "a b", "a,b=c", 'say "hi"', "back\\slash", "end\\", "two\nlines", "\t", "nul\0", "12",
    " 12.5 ", "-1e3", "nan", "1_000", "0x10", "true", "False", "#", "ü€😀", "5i", "x" * 5000,
    "'", '\\"', "\\,", "\\ ", "\u2028", "\ufeff",
]  # fmt: skip
_NUMBERS = [
    0, 1, -1, 2.5, 1e22, -1e-7, 5e-324, 1.7976931348623157e308, 2**53 + 1, 2**63 - 1, -(2**63),
    2**63, 2**64, 10.0, -0.0, 0.1,
]  # fmt: skip
_TIMES = [
    1_700_000_000, "1700000000", 1_700_000_000.5, 1_700_000_000_123, "1700000000123456789",
    "2023-11-14T22:13:20", "2023-11-14T22:13:20.5+01:00", "20231114T221320Z", "soon", "", 5,
    "1999-01-01T00:00:00Z", True, [], "2023-11-14T25:00:00",
]  # fmt: skip

names = st.sampled_from(_NAMES) | st.text(max_size=5)
texts = st.sampled_from(_TEXTS) | st.text(max_size=8)
plain_texts = st.sampled_from(["a", "a b", "a,b=c", 'say "hi"', "back\\slash", "ü€😀", "\\,", "#"])
numbers = (
    st.sampled_from(_NUMBERS) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
scalars = (
    st.sampled_from([None, True, False, *_NUMBERS, *_TEXTS])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(names, scalars, max_size=2)
times = st.sampled_from(_TIMES)
good_times = st.sampled_from(_TIMES[:8])
objects = st.dictionaries(names, values, max_size=4)


def mostly(good: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nine times what is usual, once what is not: most messages are to get through."""
    return st.integers(0, 9).flatmap(lambda n: good if n else odd)


readings = st.builds(
    lambda rest, known: rest | known,
    st.dictionaries(names, values, max_size=2),
    st.fixed_dictionaries(
        {"v": mostly(numbers, values)},
        optional={
            "i": mostly(st.integers(-(2**63), 2**63 - 1), values),
            "b": mostly(st.booleans(), values),
            "s": mostly(scalars, values),
            "id": mostly(plain_texts, values),
            "t": mostly(good_times, times),
        },
    ),
)


@dataclass(slots=True, frozen=True)
class Kind:
    """A kind of route: its mapping, what devices send, and how that is written down."""

    mapping: str
    documents: st.SearchStrategy[Any]
    dump: Callable[[Any], bytes]


_ROUTE = """\
[[routes]]
measurement = "MEASUREMENT"
[routes.tags]
id = { path = "id" }
site = { template = "{$topic[2]}-{id}" }
[routes.time]
paths = ["t"]
"""
_FIELDS = """\
[routes.fields]
"f 1" = { path = "v" }
i = { path = "i", type = "integer" }
b = { path = "b", type = "boolean" }
s = { path = "s", type = "string" }
scaled = { path = "v", scale = 0.1, offset = -3.0 }
"""
_WILDCARDS = """\
[[routes.wildcards]]
flatten = "."
[[routes.wildcards]]
type = "string"
prefix = "text "
"""


def _payload(options: str) -> str:
    return _ROUTE + f"[routes.payload]\n{options}\n"


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _cbor(document: Any) -> bytes:
    return cbor2.dumps(document)


_records = st.lists(
    st.fixed_dictionaries(
        {"n": mostly(plain_texts, texts), "v": numbers},
        optional={
            "bn": mostly(plain_texts, texts),
            "bt": mostly(st.sampled_from([0, 1.7e9, 1_700_000_000.25]), numbers),
            "t": mostly(st.integers(-1000, 1000), numbers),
            "bv": mostly(st.sampled_from([0, 20.1]), numbers),
            "s": mostly(numbers, texts),
            "u": mostly(texts, values),
        },
    )
    | st.fixed_dictionaries({"n": plain_texts, "vs": texts})
    | st.fixed_dictionaries({"n": plain_texts, "vb": mostly(st.booleans(), values)}),
    min_size=1,
    max_size=3,
)
_SENML = """\
[[routes]]
measurement = "MEASUREMENT"
[routes.payload]
format = "senml"
[routes.tags]
device = { path = "bn" }
[[routes.wildcards]]
path = "v"
[[routes.wildcards]]
path = "vs"
type = "string"
prefix = "text "
[[routes.wildcards]]
path = "vb"
type = "boolean"
prefix = "is "
[routes.time]
paths = ["t"]
"""

KINDS: dict[str, Kind] = {
    "fields": Kind(_ROUTE + _FIELDS, readings, _json),
    "wildcards": Kind(_ROUTE + _WILDCARDS, readings, _json),
    "array": Kind(
        _payload('readings = "$message"') + _FIELDS,
        mostly(st.lists(readings, min_size=1, max_size=3), st.just([])),
        _json,
    ),
    "columns": Kind(
        _payload('readings = "data"\ncolumns = ["t", "v"]') + _FIELDS,
        mostly(
            st.lists(st.tuples(good_times, mostly(numbers, values)), min_size=1, max_size=3).map(
                lambda rows: {
                    "data": dict(zip("tv", map(list, zip(*rows, strict=True)), strict=True))
                }
            ),
            st.fixed_dictionaries(
                {"data": st.fixed_dictionaries({"t": st.lists(times), "v": st.lists(scalars)})}
            ),
        ),
        _json,
    ),
    "ndjson": Kind(
        _payload('format = "ndjson"') + _FIELDS,
        mostly(st.lists(readings, min_size=1, max_size=3), st.just([])),
        lambda rows: b"\n".join(map(_json, rows)),
    ),
    "gzip": Kind(
        _payload('unpack = ["base64", "gzip"]') + _FIELDS,
        readings,
        lambda document: gzip.compress(_json(document), compresslevel=1),
    ),
    "base64": Kind(
        _payload('path = "data"\nunpack = ["base64"]') + _FIELDS,
        readings,
        lambda document: _json({"data": base64.b64encode(_json(document)).decode()}),
    ),
    "cbor": Kind(
        _payload('format = "cbor"\nunpack = ["base64"]\nreadings = "$message"') + _WILDCARDS,
        mostly(st.lists(readings, min_size=1, max_size=3), st.just([])),
        _cbor,
    ),
    "messagepack": Kind(
        _payload('format = "messagepack"\nunpack = ["base64"]') + _WILDCARDS,
        readings,
        # It has whole numbers of 64 bits.
        lambda document: msgspec.msgpack.encode(json.loads(_json(document), parse_int=_to_64_bits)),
    ),
    "senml": Kind(_SENML, _records, _json),
    "senml-cbor": Kind(
        _SENML.replace('"senml"', '"senml-cbor"\nunpack = ["base64"]'), _records, _cbor
    ),
    "shadow": Kind(
        _payload('format = "shadow"')
        + '[[routes.wildcards]]\npath = "reported"\n[[routes.wildcards]]\npath = "desired"\n'
        'prefix = "desired_"\ntype = "string"\n',
        st.fixed_dictionaries(
            {
                "state": st.fixed_dictionaries(
                    {}, optional={"reported": objects, "desired": objects}
                )
            },
            optional={"version": numbers, "timestamp": times},
        ),
        _json,
    ),
}


def _to_64_bits(digits: str) -> int:
    return max(-(2**63), min(int(digits), 2**64 - 1))


def messages(kind: Kind) -> st.SearchStrategy[bytes]:
    """What devices publish: mostly whole documents, sometimes damaged ones or plain noise."""
    whole = kind.documents.map(kind.dump)
    damaged = st.tuples(whole, st.integers(0, 200), st.binary(max_size=3)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
    )
    return mostly(whole, damaged | st.binary(max_size=30))

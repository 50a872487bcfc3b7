"""What is wrong with a mapping, with its line."""

import contextlib
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.encode import Encoder
from ingestor.core.mapping import MappingError, parse_mapping
from ingestor.core.mapping.lines import LineIndex

FIELDS = "[routes.fields]\nv = { path = 'v' }\n"
ROUTE = "[[routes]]\nmeasurement = 'm'\n"

FIVE = """\
# Five mistakes.
[[routes]]
measurement = "pumps"
topic = ["pump/+"]

[routes.tags]
site = { pth = "site" }

[routes.fields]
flow = { path = "flow", type = "flaot" }
level = { path = "tank..level" }

[routes.metadata]
key = "metakey"
missing = "ignore"
"""


def mistakes(text: str) -> list[str]:
    """All of them."""
    with pytest.raises(MappingError) as error:
        parse_mapping(text)
    return error.value.mistakes


def test_five_mistakes() -> None:
    """Each of five mistakes is named with line, key and remedy, and nothing else is."""
    assert mistakes(FIVE) == [
        "line 4, routes[0].topic: there is no such setting. Did you mean `topics`?",
        "line 7, routes[0].tags.site.pth: there is no such setting. Did you mean `path`?",
        (
            "line 10, routes[0].fields.flow.type: input should be 'float', 'integer', 'boolean' "
            "or 'string'. Did you mean \"float\"?"
        ),
        (
            "line 11, routes[0].fields.level.path: a path is names joined by dots, for example "
            "`pressure`, `engine.rpm` or `samples[0].value`"
        ),
        (
            "line 15, routes[0].metadata.missing: input should be 'write', 'hold' or 'reject'. "
            'For example: missing = "write"'
        ),
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            ROUTE + "payload = { readings = 'a', format = 'senml' }\n" + FIELDS,
            "line 3, routes[0].payload.readings: senml says itself where its readings are",
        ),
        (
            ROUTE + "payload = { columns = ['a'] }\n" + FIELDS,
            "line 3, routes[0].payload.columns: `columns` are members of the object at `readings`",
        ),
        (
            ROUTE + "payload = { format = 'cbor' }\n" + FIELDS,
            "line 3, routes[0].payload: cbor is binary and messages are text: begin `unpack` with",
        ),
        (
            ROUTE + "payload = { unpack = ['gzip'] }\n" + FIELDS,
            "line 3, routes[0].payload: what is packed is binary: begin `unpack` with",
        ),
        (
            ROUTE + "payload = { path = '$topic' }\n" + FIELDS,
            "line 3, routes[0].payload: $topic cannot be used here",
        ),
        (
            ROUTE + "topics = ['a/#/b']\n" + FIELDS,
            "line 3, routes[0].topics[0]: `#` stands at the end of a topic filter only",
        ),
        (
            ROUTE + "where = { 'a..b' = 1 }\n" + FIELDS,
            'line 3, routes[0].where."a..b": a path is names joined by dots',
        ),
        (
            ROUTE + "where = { '$metadata.a' = 1 }\n" + FIELDS,
            'line 3, routes[0].where."$metadata.a": $metadata cannot be used here',
        ),
        (
            ROUTE + "name = 'a'\nwhere = {a=1}\n" + FIELDS + ROUTE + "name = 'a'\n" + FIELDS,
            "line 9, routes[1].name: routes[0] has this name already",
        ),
        (
            ROUTE + "where = { a = { b = 1 } }\n" + FIELDS,
            "line 3, routes[0].where.a[0]: this must be a text, a number, true or false",
        ),
        (
            ROUTE + "[routes.fields]\n'a\\,b' = { path = 'v' }\n",
            'line 4, routes[0].fields."a\\\\,b": it holds a backslash before a comma, space, ',
        ),
        (
            ROUTE + FIELDS + "[routes.metadata]\nkey = 'a..b'\n",
            "line 6, routes[0].metadata.key: a path is names joined by dots",
        ),
        (
            ROUTE + FIELDS + "[routes.time]\nzone = 'Mars/Olympus'\n",
            "line 6, routes[0].time.zone: there is no such zone; write UTC, +02:00 or a name",
        ),
        (
            ROUTE + FIELDS + "[routes.time]\npaths = [{ constant = '2023' }]\n",
            "line 6, routes[0].time.paths[0]: a constant time would make every reading overwrite",
        ),
        (
            ROUTE + FIELDS + "[routes.time]\npaths = ['$metadata.installed']\n",
            "line 6, routes[0].time.paths[0]: $metadata cannot be used here: a reading's identity",
        ),
        (
            ROUTE + "[routes.fields]\nv = { path = 'v', type = 'string', scale = 2.0 }\n",
            "line 4, routes[0].fields.v: `scale` and `offset` are for numbers",
        ),
        (
            ROUTE + "[routes.fields]\nv = { path = 'v', default = 'none' }\n",
            "line 4, routes[0].fields.v: `default` does not fit the type float: it is a text",
        ),
        (
            ROUTE + "[routes.fields]\nv = { constant = '', type = 'string' }\n",
            "line 4, routes[0].fields.v: `constant` is empty",
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\nt = { constant = '' }\n",
            "line 6, routes[0].tags.t: it is empty, and an empty tag is left out",
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\n_field = { path = 't' }\n",
            "line 6, routes[0].tags._field: InfluxDB keeps this name for itself; choose another",
        ),
        (
            ROUTE + FIELDS + '[routes.tags]\nt = { constant = "a\\n" }\n',
            "line 6, routes[0].tags.t: it holds the control character U+000A; leave it out",
        ),
        (
            ROUTE + "[[routes.wildcards]]\nname = 'n'\n",
            "line 3, routes[0].wildcards[0]: `name` and `value` belong together",
        ),
        (
            ROUTE + "[[routes.wildcards]]\nname = 'n'\nvalue = 'v'\nflatten = '_'\n",
            "line 3, routes[0].wildcards[0]: `path` and `flatten` are for objects",
        ),
        (
            "[limits]\nname_bytes = 3\n" + ROUTE + "[routes.fields]\nlong = { path = 'v' }\n",
            "line 6, routes[0].fields.long: it is longer than 3 bytes. Shorten it, or raise",
        ),
        (
            "[limits]\nfields = 1\n" + ROUTE + FIELDS + "w = { path = 'w' }\n",
            "line 5, routes[0].fields: there are 2, and at most 1 are allowed",
        ),
        (
            "limits = { text_bytes = 5 }\n"
            + ROUTE
            + "[routes.fields]\nv = { constant = 'long', type = 'string' }\n",
            "line 5, routes[0].fields.v: it is longer than 5 bytes",
        ),
        ("limits = { depth = 0 }\n" + ROUTE + FIELDS, "line 1, limits.depth: input should be"),
        ("[[routes]]\nmeasurement = 5\n" + FIELDS, "line 2, routes[0].measurement: this must be"),
        ("[[routes]]\nx\n", "line 2: it is not TOML: expected '='"),
        ("[[routes]]\nx = 'a\n'", "line 2: it is not TOML: "),
    ],
)
def test_each_mistake_has_its_line(text: str, mistake: str) -> None:
    """Line, key, what is wrong, and how to put it right."""
    assert mistake in " | ".join(mistakes(text))


def test_lines_of_all_kinds_of_toml() -> None:
    """Every way of writing a key is found, behind texts and arrays over several lines."""
    text = '''\
# comment [not.a.table]
top."quoted key".'literal' = """
[not] = "a table"
""" # more
[plain]
a = 1
b.c = 1979-05-27 07:32:00 # a time with a space
[ plain . "sub" ]
d = [
  1, [2,
  3], # , ]
  { e = "]}", f = \'\'\'}\'\'\' },
]
[[many]]
[many.inner]
g = true
[[many]]
[[many.deep]]
[[many.deep]]
h = 'x#y'
'''
    tomllib.loads(text)
    index = LineIndex(text)
    lines = {
        ("top", "quoted key", "literal"): 2,
        ("plain",): 5,
        ("plain", "a"): 6,
        ("plain", "b", "c"): 7,
        ("plain", "sub"): 8,
        ("plain", "sub", "d"): 9,
        ("plain", "sub", "d", 1, 1): 11,
        ("plain", "sub", "d", 2, "f"): 12,
        ("many", 0, "inner", "g"): 16,
        ("many", 1): 17,
        ("many", 1, "deep", 0): 18,
        ("many", 1, "deep", 1, "h"): 20,
        ("many", 1, "deep", 1, "nothing"): 19,
        ("nothing",): 1,
    }
    assert {place: index.line(place) for place in lines} == lines


KEYS = st.sampled_from(
    [
        "routes",
        "measurement",
        "tags",
        "fields",
        "wildcards",
        "metadata",
        "time",
        "payload",
        "limits",
        "where",
        "topics",
        "name",
        "path",
        "template",
        "constant",
        "type",
        "scale",
        "default",
        "key",
        "missing",
        "paths",
        "zone",
        "unit",
        "readings",
        "columns",
        "format",
        "unpack",
        "include",
        "prefix",
        "value",
        "x",
    ]
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["", "a", "a.b", "{a}", "$topic", "$metadata.a", "senml", "base64", "#"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
ROUTES = st.dictionaries(KEYS, VALUES, max_size=8).map(lambda route: {"measurement": "m", **route})


def as_toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value)


@given(VALUES | st.lists(ROUTES, max_size=3), st.dictionaries(KEYS, VALUES, max_size=3))
def test_any_document_is_a_mapping_or_has_mistakes(routes: Any, rest: dict[str, Any]) -> None:
    """No document makes the check fail in another way, and what passes can be compiled."""
    text = "\n".join(f"{key} = {as_toml(each)}" for key, each in {**rest, "routes": routes}.items())
    with contextlib.suppress(MappingError):
        Encoder(parse_mapping(text))

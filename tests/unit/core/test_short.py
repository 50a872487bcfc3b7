"""The short ways and the complete way give the same lines, and the same refusals."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Rejected
from ingestor.core.metadata import Known, Metadata
from ingestor.core.opened import Opened

SENT_AT_MS = 1_700_000_000_000

MAPPINGS = {
    "default": DEFAULT_MAPPING,
    "bare": "[[routes]]\nmeasurement = 'm'\n[routes.fields]\npressure = { path = 'pressure' }\n",
    "varied": """
[[routes]]
measurement = "m"
[routes.tags]
device = { path = "deviceid" }
client = { template = "c-{clientid}" }
topic = { path = "$topic" }
fixed = { constant = "x" }
[routes.fields]
pressure = { path = "pressure", scale = 2.0 }
viscosity = { path = "viscosity", default = 0 }
text = { path = "deviceid", type = "string" }
[routes.time]
paths = ["sensordatetime"]
spread = false
past_days = 0.001
""",
    "zone": """
[[routes]]
measurement = "m"
[routes.fields]
viscosity = { path = "viscosity", required = true }
[routes.time]
paths = ["sensordatetime"]
zone = "Europe/Berlin"
""",
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["12", "-1e3", "nan", [], {}]),
)
TIMES = st.one_of(
    VALUES,
    st.datetimes().map(lambda moment: moment.isoformat()[:19]),
    st.sampled_from(
        [
            "2023-11-14T22:13:20",
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20.25",
            "2023-11-14T22:13:2",
            "2023-11-14T22:13+01",
            "2023-W46-2T22:13:20",
            "2023-11-14T24:00:00",
            "2023-02-30T22:13:20",
            "T::",
        ]
    ),
)
READINGS = st.fixed_dictionaries(
    {},
    optional={
        "pressure": VALUES,
        "viscosity": VALUES,
        "deviceid": VALUES,
        "clientid": VALUES,
        "sensordatetime": TIMES,
        "received_at": st.sampled_from([SENT_AT_MS, "x"]),
        "topic": st.sampled_from(["a/b", 5]),
    },
)


def result(mapping: str, reading: dict[str, Any], *, short: bool) -> object:
    """The line, or the refusal."""
    (route,) = Encoder(parse_mapping(mapping)).routes
    opened = Opened(reading, reading, reading.get("topic"), [reading])
    try:
        if short:
            return route.encode(opened, [None], sent_at_ms=SENT_AT_MS)
        return [point.line() for point in route.points(opened, [None], sent_at_ms=SENT_AT_MS)]
    except Rejected as rejection:
        return str(rejection)


@pytest.mark.parametrize("name", MAPPINGS)
@given(reading=READINGS)
def test_both_ways_agree(name: str, reading: dict[str, Any]) -> None:
    """Whatever a reading holds, the way that it takes makes no difference."""
    mapping = MAPPINGS[name]

    assert result(mapping, reading, short=True) == result(mapping, reading, short=False)


@given(reading=READINGS)
def test_a_second_reading_of_a_series(reading: dict[str, Any]) -> None:
    """A series that is known already gives the same line again."""
    (route,) = Encoder(parse_mapping(DEFAULT_MAPPING)).routes
    reading = {"deviceid": "d", "clientid": "c", "pressure": 1, **reading}
    lines = []
    for _ in range(2):
        try:
            opened = Opened(reading, reading, None, [reading])
            lines.append(route.encode(opened, [None], sent_at_ms=SENT_AT_MS))
        except Rejected as rejection:
            lines.append([str(rejection).encode()])
    assert lines[0] == lines[1]


def test_names_of_the_mapping_are_not_executed() -> None:
    """Braces, quotes and the like in names are names."""
    name = "{exit()}'\"\\n"
    mapping = (
        '[[routes]]\nmeasurement = \'m\'\n[routes.fields]\n"{exit()}\'\\"\\\\n" = { path = "p" }\n'
    )

    assert result(mapping, {"p": 1}, short=True) == [f"m {name}=1.0 {SENT_AT_MS}000000".encode()]


def line_of_text(mapping: str, text: str) -> bytes | None:
    """What the way from text to line says; None also when it fails, as its caller takes it."""
    encoder = Encoder(parse_mapping(mapping))
    known = Known()
    known["k"] = Metadata({"family": "f"})
    assert encoder.of_text is not None
    try:
        return encoder.of_text(text, SENT_AT_MS, known)
    except (Rejected, msgspec.MsgspecError, UnicodeError):
        return None


@pytest.mark.parametrize("name", MAPPINGS)
@given(reading=READINGS, key=st.sampled_from(["k", "other", "", None, 5, True]))
def test_the_way_of_texts_agrees(name: str, reading: dict[str, Any], key: object) -> None:
    """What it makes a line of, the complete way makes the same line of."""
    mapping = MAPPINGS[name]
    text = msgspec.json.encode(reading | {"metakey": key}).decode()
    encoder = Encoder(parse_mapping(mapping))

    line = line_of_text(mapping, text)

    try:
        route, opened = encoder.open(text, sent_at_ms=SENT_AT_MS)
        record = Metadata({"family": "f"}) if route.has_metadata and key == "k" else None
        (complete,) = route.encode(opened, [record], sent_at_ms=SENT_AT_MS)
    except Rejected:
        assert line is None
        return
    at_hand = not route.has_metadata or key == "k"
    is_flat = text.count("{") == 1 and "[" not in text
    assert line == (complete if at_hand and is_flat else None)


@pytest.mark.parametrize(
    "text", ["", "5", "null", "[]", ' {"pressure":1}', '{"a":{}}', '{"a":[]}', '{"a":"{"}', "{"]
)
def test_texts_for_the_complete_way(text: str) -> None:
    """What is no plain object at its first glance is for others to judge."""
    assert line_of_text(MAPPINGS["bare"], text) is None


@pytest.mark.parametrize(
    "mapping",
    [
        "error_actions = true\n" + MAPPINGS["bare"],
        MAPPINGS["bare"].replace("'m'\n", "'m'\ntopics = ['a/#']\n"),
        MAPPINGS["bare"].replace("'m'", "{ path = 'pressure' }"),
        MAPPINGS["bare"] + "[routes.metadata]\nkey = { template = '{a}-{b}' }\n",
    ],
)
def test_mappings_without_a_way_of_texts(mapping: str) -> None:
    """Where more than the object itself has to be looked at, there is none."""
    assert Encoder(parse_mapping(mapping)).of_text is None

"""The short way and the complete way give the same lines, and the same refusals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Rejected
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

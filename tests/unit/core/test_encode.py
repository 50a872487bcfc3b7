"""Readings into lines, compared with influxdb-client's own Point."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, MissingPolicy, parse_mapping
from ingestor.core.mapping.names import RESERVED
from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.metadata import Metadata
from ingestor.core.opened import Opened
from ingestor.core.timestamps import spread

SENT_AT_MS = 1_700_000_000_000
NS = 1_700_000_000_123_456_789
DEVICE = {"deviceid": "d", "clientid": "c", "metakey": "1"}
READING = {"pressure": 900, "viscosity": "33.5", "sensordatetime": str(NS), **DEVICE}

MAPPING = """
[[routes]]
measurement = "m 1,2"

[routes.tags]
required = { path = "tag", required = true }
optional = { template = "{a}-{b.c}" }
fixed = { constant = "x y" }

[routes.fields]
"f 1" = { path = "f", type = "float" }
i = { path = "i", type = "integer" }
b = { path = "b", type = "boolean" }
s = { path = "s", type = "string" }
"""
CLOSED = MAPPING + '\n[routes.metadata]\nkey = "device.id"\nmissing = "hold"\n'

NO_NUL = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60).filter(
    lambda text: not text.endswith("\\")
)


def encode(
    reading: dict[str, Any], record: Metadata | None = None, *, mapping: str = DEFAULT_MAPPING
) -> str:
    """One line by a fresh encoder."""
    (route,) = Encoder(parse_mapping(mapping)).routes
    (line,) = route.encode(opened(reading), [record], sent_at_ms=SENT_AT_MS)
    return line.decode()


def opened(reading: dict[str, Any]) -> Opened:
    """A message that is one reading."""
    return Opened(reading, reading, None, [reading])


def key(reading: dict[str, Any], *, mapping: str = DEFAULT_MAPPING) -> str | None:
    """The metadata key of a reading."""
    (route,) = Encoder(parse_mapping(mapping)).routes
    return route.metadata_key(reading, opened(reading))


def refusal(reading: dict[str, Any], *, mapping: str = DEFAULT_MAPPING) -> tuple[Reason, str]:
    """Why a reading is rejected."""
    with pytest.raises(Rejected) as rejection:
        encode(reading, mapping=mapping)
    assert rejection.value.stage is Stage.MAP
    return rejection.value.reason, rejection.value.detail


def test_the_seeds_reading() -> None:
    """The built-in mapping gives the 2020 demo's series, with the record's attributes as tags."""
    record = Metadata({"manufacturer": "Acme Devices, Ltd.", "family": "a=b", "metakey": "1"})

    assert encode(READING, record) == (
        "pressure,family=a\\=b,manufacturer=Acme\\ Devices\\,\\ Ltd.,metakey=1,sensorID=dc "
        f"pressureValue=900.0,viscosity=33.5 {NS}"
    )


def test_every_kind_of_tag_and_field() -> None:
    """Paths, templates and constants become tags; every type of field is written as its type."""
    reading = {"tag": 10.0, "a": "A", "b": {"c": True}, "f": 1, "i": 2.0, "s": 'say "\n"'}
    reading |= {"b": {"c": True}}

    assert encode(reading, mapping=MAPPING.replace('path = "b"', 'path = "b.c"')) == (
        "m\\ 1\\,2,fixed=x\\ y,optional=A-true,required=10 "
        f'f\\ 1=1.0,i=2i,b=true,s="say \\"\n\\"" {SENT_AT_MS}000000'
    )


@pytest.mark.parametrize("part", [{}, {"a": "A"}, {"a": "", "b": {"c": "C"}}, {"a": "A", "b": 5}])
def test_incomplete_optional_tag(part: dict[str, Any]) -> None:
    """An optional tag with a missing or empty part is left out, not half filled."""
    line = encode({"tag": "t", "f": 1, **part}, mapping=MAPPING.replace('path = "b"', 'path="bb"'))

    assert line.startswith("m\\ 1\\,2,fixed=x\\ y,required=t f\\ 1=1.0 ")


@given(
    st.dictionaries(TEXT, TEXT),
    TEXT,
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(NO_NUL),
)
def test_agrees_with_point(attributes: dict[str, str], tag: str, number: float, text: str) -> None:
    """Any tags, any float and any text give the line that influxdb-client's Point gives."""
    mapping = MAPPING.replace("m 1,2", "m").replace(', type = "float"', "")
    reading = {"tag": tag, "f": number, "s": text}
    own = {"required", "optional", "fixed", "f 1", "i", "b", "s", *RESERVED}
    kept = {k: v for k, v in attributes.items() if k not in own}
    point: Any = Point("m")  # type: ignore[no-untyped-call] # it says nothing of its types
    point = point.tag("required", tag).tag("fixed", "x y").field("f 1", number)
    if text:
        point = point.field("s", text)
    for name, value in kept.items():
        point = point.tag(name, value)

    line = encode(reading, Metadata(attributes), mapping=mapping)

    # Point writes 1.0 as 1; both are the same float to InfluxDB.
    theirs = point.time(SENT_AT_MS * 10**6).to_line_protocol()
    prefix, _, rest = line.rpartition(" f\\ 1=")
    assert theirs.startswith(f"{prefix} f\\ 1=")
    their_rest = theirs[len(prefix) + len(" f\\ 1=") :]
    ours, theirs_number = (
        rest.split(",s=")[0].split(" ")[0],
        their_rest.split(",s=")[0].split(" ")[0],
    )
    assert float(ours) == float(theirs_number) == number
    assert rest[len(ours) :] == their_rest[len(theirs_number) :]


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        (
            {"deviceid": ""},
            Reason.MISSING_TAG,
            "deviceid: it is missing or empty, and the tag sensorID needs it",
        ),
        (
            {"clientid": None},
            Reason.MISSING_TAG,
            "clientid: it is missing or empty, and the tag sensorID needs it",
        ),
        (
            {"deviceid": ["d"]},
            Reason.BAD_TAG,
            "deviceid: it is an array, not a text, number or boolean",
        ),
        (
            {"deviceid": "a\nb"},
            Reason.BAD_TAG,
            "tag sensorID: it holds the control character U+000A",
        ),
        (
            {"deviceid": "a\x00"},
            Reason.BAD_TAG,
            "tag sensorID: it holds the control character U+0000",
        ),
        ({"clientid": "a\\"}, Reason.BAD_TAG, "tag sensorID: it ends with a backslash"),
        (
            {"deviceid": "x" * 70_000},
            Reason.BAD_TAG,
            "tag sensorID: it is longer than 4096 bytes",
        ),
        ({"pressure": "high"}, Reason.BAD_FIELD, "pressure: it is a text that is not a number"),
        ({"viscosity": [1]}, Reason.BAD_FIELD, "viscosity: it is an array, not a number"),
        (
            {"pressure": None, "viscosity": ""},
            Reason.NO_FIELDS,
            "pressure, viscosity: none of them is there",
        ),
        (
            {"sensordatetime": "soon"},
            Reason.BAD_TIME,
            "sensordatetime: it is neither ISO 8601 nor an epoch number",
        ),
        (
            {"sensordatetime": "1999-01-01T00:00:00"},
            Reason.TIME_OUT_OF_RANGE,
            "sensordatetime: it lies 9083.9 days in the past",
        ),
        (
            {"sensordatetime": "2023-11-16T00:00:00"},
            Reason.TIME_OUT_OF_RANGE,
            "sensordatetime: it lies 1.1 days in the future",
        ),
    ],
)
def test_refusals_name_the_place(change: dict[str, Any], reason: Reason, detail: str) -> None:
    """A reading that cannot be stored is rejected, naming the field and what is wrong there."""
    found, text = refusal(READING | change)

    assert found is reason
    assert detail in text


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a,b", "#a", "a b", "a=b", "ü", "a\\,b"])
def test_odd_but_good_tags(text: str) -> None:
    """Quotes, commas and the like are escaped, not refused."""
    assert refusal_free(READING | {"deviceid": text})


def refusal_free(reading: dict[str, Any]) -> bool:
    """True when the reading gives one line."""
    return "\n" not in encode(reading)


def test_unusable_attributes_are_left_out() -> None:
    """An attribute that no tag can hold, or that another name takes, costs only itself."""
    record = Metadata(
        {
            "good": "yes",
            "time": "noon",
            "note": "two\nlines",
            "end\\": "x",
            "path": "C:\\",
            "sensorID": "theirs",
            "viscosity": "thick",
        }
    )

    assert encode(READING, record).startswith("pressure,good=yes,sensorID=dc pressureValue")


@pytest.mark.parametrize("absent", [{}, {"sensordatetime": None}, {"sensordatetime": ""}])
def test_time_of_the_rule(absent: dict[str, Any]) -> None:
    """Without a time of the device the rule's stamp counts."""
    reading = {"pressure": 1, **DEVICE, **absent, "received_at": SENT_AT_MS - 5}

    assert encode(reading).endswith(f" {SENT_AT_MS - 5}000000")


def test_time_of_the_queue() -> None:
    """Without any time in the reading the queue's stamp counts."""
    assert encode({"pressure": 1, **DEVICE}).endswith(f" {SENT_AT_MS}000000")


def test_whole_seconds_are_spread() -> None:
    """Two readings of one second get two moments; the same reading always gets the same."""
    reading = {**READING, "sensordatetime": "2023-11-14T22:13:20"}
    envelope = {"topic": "pressure/data", "received_at": SENT_AT_MS}

    again = [encode(reading | {"pressure": 900} | envelope | {"received_at": n}) for n in (1, 2)]
    other = encode(reading | {"pressure": 901} | envelope)

    assert again[0] == again[1] == encode(reading)
    assert again[0].split()[-1] != other.split()[-1]
    assert again[0].split()[-1][:10] == other.split()[-1][:10] == "1700000000"


def test_spreading_can_be_switched_off() -> None:
    """With `spread = false` a whole second stays what it is."""
    mapping = DEFAULT_MAPPING.replace("spread = true", "spread = false")

    line = encode(READING | {"sensordatetime": 1_700_000_000}, mapping=mapping)
    assert line.endswith(f" {1_700_000_000 * 10**9}")
    assert spread(0, b"x") != 0


@given(
    st.dictionaries(
        st.text(),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_encodes_or_rejects(values: dict[str, Any]) -> None:
    """Whatever a reading holds, the answer is one line or a rejection."""
    names = ["deviceid", "clientid", "pressure", "viscosity", "sensordatetime", "received_at"]
    reading = dict(zip(names, values.values(), strict=False))
    try:
        line = encode(READING | reading)
    except Rejected:
        return
    assert "\n" not in line


@pytest.mark.parametrize(
    ("metakey", "expected"), [("a", "a"), (5, "5"), (5.0, "5"), (None, None), ("", None)]
)
def test_metadata_key(metakey: object, expected: str | None) -> None:
    """The key is a text or number; an absent or empty one is none."""
    assert key({"metakey": metakey}) == expected


@pytest.mark.parametrize(
    ("metakey", "problem"),
    [
        (True, "it is a boolean, not a text or number"),
        (["a"], "it is an array"),
        ("x" * 2049, "it is longer than 2048 bytes"),
        ("ü" * 1025, "it is longer than 2048 bytes"),
    ],
)
def test_bad_metadata_key(metakey: object, problem: str) -> None:
    """What DynamoDB would not take as a key is rejected before it is asked."""
    with pytest.raises(Rejected, match=f"bad-metadata-key: metakey: {problem}"):
        key({"metakey": metakey})


def test_longest_metadata_key() -> None:
    """2,048 bytes are a key."""
    assert key({"metakey": "ü" * 1024}) == "ü" * 1024


def test_without_metadata() -> None:
    """A mapping without metadata asks for nothing, and nothing is missing."""
    (route,) = Encoder(parse_mapping(MAPPING)).routes

    assert key({"metakey": "1"}, mapping=MAPPING) is None
    assert route.missing is MissingPolicy.WRITE
    assert not route.has_metadata


def test_nested_metadata_key() -> None:
    """The key may stand deep in the reading, and the policy is the mapping's."""
    (route,) = Encoder(parse_mapping(CLOSED)).routes

    assert key({"device": {"id": "7"}}, mapping=CLOSED) == "7"
    assert route.missing is MissingPolicy.HOLD


def test_prefix_follows_the_record() -> None:
    """A new record for the same device gives its new tags, although the old prefix is kept."""
    (route,) = Encoder(parse_mapping(DEFAULT_MAPPING)).routes
    old, new = Metadata({"family": "old"}), Metadata({"family": "new"})

    lines = [
        route.encode(opened(READING), [each], sent_at_ms=SENT_AT_MS)[0]
        for each in (old, new, old, None)
    ]

    assert [b"family=old" in line for line in lines] == [True, False, True, False]
    assert b"family=new" in lines[1]

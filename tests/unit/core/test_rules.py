"""Single rules of a mapping, where the golden cases do not reach."""

import pytest

from ingestor.core.encode import Encoder, explain, wildcards
from ingestor.core.mapping import parse_mapping
from ingestor.core.message import Reason, Rejected
from ingestor.core.metadata import Metadata, join_key, split_key
from ingestor.core.scalars import scaled_float_text, scaled_integer_text

SENT_AT_MS = 1_700_000_000_000
HEAD = "[[routes]]\nmeasurement = 'm'\n"
FIELDS = "[routes.fields]\nv = { path = 'v' }\n"


def line(mapping: str, body: str, record: Metadata | None = None) -> str:
    """The only line of a message."""
    route, opened = Encoder(parse_mapping(mapping)).open(body, sent_at_ms=SENT_AT_MS)
    (only,) = route.encode(opened, [record], sent_at_ms=SENT_AT_MS)
    return only.decode()


def refusal(mapping: str, body: str, record: Metadata | None = None) -> str:
    """Why there is none."""
    with pytest.raises(Rejected) as rejection:
        line(mapping, body, record)
    return str(rejection.value)


def test_composite_keys_come_apart_again() -> None:
    """Both parts are as they were, whatever the sort key holds."""
    assert split_key(join_key("plant", "a\x1fb")) == ("plant", "a\x1fb")
    assert split_key("plant") == ("plant", "")
    with pytest.raises(ValueError, match="U\\+001F"):
        join_key("a\x1fb", "c")


def test_composite_key_with_the_separator() -> None:
    """A partition key that cannot be told from a sort key is refused."""
    mapping = HEAD + FIELDS + "[routes.metadata]\nkey = 'k'\nsort = 's'\n"
    route, opened = Encoder(parse_mapping(mapping)).open(
        '{"k": "a\\u001fb", "s": "c"}', sent_at_ms=0
    )
    with pytest.raises(Rejected, match="k, s: the partition key holds"):
        route.metadata_key(opened.readings[0], opened)


@pytest.mark.parametrize(
    ("value", "scale", "offset", "text"),
    [
        (235, 0.1, 0.0, "23.5"),
        (3, 0.1, 0.0, "0.3"),
        ("12", 2.0, -1.0, "23.0"),
        (0, 5.0, 1.5, "1.5"),
    ],
)
def test_scaled(value: object, scale: float, offset: float, text: str) -> None:
    """Scaled numbers are what paper says, without the dust of binary fractions."""
    assert scaled_float_text(value, scale, offset) == text


def test_scaled_too_far() -> None:
    """What becomes too large, or was no number, is refused."""
    with pytest.raises(ValueError, match="too large for a float when it is scaled"):
        scaled_float_text(1e308, 10.0, 0.0)
    with pytest.raises(ValueError, match="it does not fit into 64 bits"):
        scaled_integer_text(2**62, 4.0, 0.0)
    with pytest.raises(ValueError, match="it is a text that is not a number"):
        scaled_integer_text("x", 4.0, 0.0)


def test_too_long_a_measurement() -> None:
    """A measurement from a reading has the same limit as other names."""
    mapping = "[[routes]]\nmeasurement = { path = 'm' }\n" + FIELDS

    assert "m: it is longer than 256 bytes" in refusal(mapping, '{"m": "%s", "v": 1}' % ("x" * 257))


def test_too_long_a_series() -> None:
    """Many long tags together can be more than InfluxDB takes."""
    tags = "".join(f"t{n} = {{ path = 'x' }}\n" for n in range(20))
    body = '{"v": 1, "x": "%s"}' % ("x" * 4000)

    assert "measurement and tags are longer than 65535 bytes" in refusal(
        HEAD + FIELDS + "[routes.tags]\n" + tags, body
    )


def test_wildcard_names_that_are_no_names() -> None:
    """A name that is an object is refused, a missing one gives no field, a number is a text."""
    mapping = HEAD + "[[routes.wildcards]]\nname = 'n'\nvalue = 'v'\n"

    assert line(mapping, '{"n": 5, "v": 1}').startswith("m 5=1.0 ")
    assert "n: it is an object" in refusal(mapping, '{"n": {}, "v": 1}')
    assert "no-fields" in refusal(mapping, '{"v": 1}')
    assert "n, the name 'a\\nb': it holds a control character" in refusal(
        mapping, '{"n": "a\\nb", "v": 1}'
    )


def test_wildcard_without_an_object() -> None:
    """Where no object stands there are no fields."""
    mapping = HEAD + "[[routes.wildcards]]\npath = 'o'\n"

    assert "no-fields" in refusal(mapping, '{"o": [1]}')


def test_wildcard_integers() -> None:
    """Whole numbers are taken, fractions are refused rather than dropped."""
    mapping = HEAD + "[[routes.wildcards]]\ntype = 'integer'\n"

    assert line(mapping, '{"a": 1, "b": 2.0, "c": true}').startswith("m a=1i,b=2i ")
    assert "a: it has a fraction" in refusal(mapping, '{"a": 1.5}')


def test_a_name_belongs_to_one_wildcard_for_ever() -> None:
    """The type of a field follows from its name, never from the value that came."""
    mapping = (
        HEAD
        + "[[routes.wildcards]]\nexclude = ['s_*']\n"
        + "[[routes.wildcards]]\ntype = 'string'\ninclude = ['s_*']\n"
        + "[[routes.wildcards]]\ntype = 'boolean'\n"
    )

    assert line(mapping, '{"a": 1, "s_a": "x", "b": true}').startswith('m a=1.0,s_a="x" ')
    assert "no-fields" in refusal(mapping, '{"a": "x", "s_a": 1, "b": true}')


def test_names_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that invents names does not make the memory of names grow for ever."""
    monkeypatch.setattr(wildcards, "_MOST_NAMES", 3)
    encoder = Encoder(parse_mapping(HEAD + "[[routes.wildcards]]\n"))
    for number in range(10):
        route, opened = encoder.open(f'{{"n{number}": 1}}', sent_at_ms=SENT_AT_MS)
        assert route.encode(opened, [None], sent_at_ms=SENT_AT_MS)[0].startswith(b"m n%d=" % number)


def test_attributes_are_chosen_once_for_a_record() -> None:
    """Wildcards leave out the names of the record's tags, again and again."""
    mapping = HEAD + "[[routes.wildcards]]\n[routes.metadata]\nkey = 'k'\n"
    encoder = Encoder(parse_mapping(mapping))
    record = Metadata({"limit": "1"})
    for _ in range(2):
        route, opened = encoder.open('{"limit": 5, "v": 1}', sent_at_ms=SENT_AT_MS)
        lines = route.encode(opened, [record], sent_at_ms=SENT_AT_MS)
        assert lines[0].startswith(b"m,limit=1 v=1.0 ")


def test_explained_in_full() -> None:
    """Every part of a line names its rule and its source."""
    mapping = """
[[routes]]
measurement = { path = "kind" }
[routes.tags]
site = { template = "{s}-1" }
none = { path = "nothing" }
[routes.fields]
v = { path = "v" }
w = { path = "w" }
c = { constant = 1 }
[[routes.wildcards]]
include = ["x"]
[[routes.wildcards]]
include = ["y"]
[routes.metadata]
key = "k"
[routes.time]
paths = ["a", "b"]
"""
    route, opened = Encoder(parse_mapping(mapping)).open(
        '{"kind": "m", "s": "a", "v": 1, "y": 2, "b": 1700000000001}', sent_at_ms=SENT_AT_MS
    )
    record = Metadata({"family": "f"})

    (parts,) = explain(route, opened, [record], sent_at_ms=SENT_AT_MS)

    assert [tuple(part) for part in parts] == [
        ("measurement", "m", "routes[0].measurement", "path kind"),
        ("tag family", "f", "routes[0].metadata", "attribute family"),
        ("tag site", "a-1", "routes[0].tags.site", "template {s}-1"),
        ("field v", "1.0", "routes[0].fields.v", "path v"),
        ("field c", "1.0", "routes[0].fields.c", "constant 1"),
        ("field y", "2.0", "routes[0].wildcards[1]", "member y"),
        ("time", "1700000000001000000", "routes[0].time", "b"),
    ]


@pytest.mark.parametrize(
    ("time", "source"), [("null", "when the message entered the queue"), ('["x"]', "t")]
)
def test_time_is_explained(time: str, source: str) -> None:
    """Without a time the queue's stamp is named."""
    mapping = HEAD + FIELDS + "[routes.time]\npaths = ['t']\n"
    route, opened = Encoder(parse_mapping(mapping)).open(f'{{"t": {time}}}', sent_at_ms=0)

    assert route.clock.source(opened.readings[0], opened) == source


def test_published_without_a_route() -> None:
    """What a device published needs a route too."""
    mapping = HEAD + "topics = ['a']\n" + FIELDS

    with pytest.raises(Rejected, match="its topic is 'b'"):
        Encoder(parse_mapping(mapping)).open_payload(b'{"v": 1}', "b", sent_at_ms=0)


def test_limit_of_fields_counts_rules_too() -> None:
    """Fields of rules and of wildcards count together."""
    mapping = "limits.fields = 1\n" + HEAD + FIELDS + "[[routes.wildcards]]\n"

    assert Reason.TOO_MANY_FIELDS in refusal(mapping, '{"v": 1, "w": 2}')


def test_readings_that_are_no_objects() -> None:
    """Elements of an array need not be objects; those without the field are refused, in order."""
    mapping = HEAD + "payload = { readings = '$message' }\n" + FIELDS

    assert refusal(mapping, "[1]") == "map: no-fields: v: none of them is there"
    assert "reading 0: v: none of them is there" in refusal(mapping, '[1, {"v": 3}]')


def test_an_only_reading_has_no_number() -> None:
    """A refusal names which of several readings it is about, not which of one."""
    route, opened = Encoder(parse_mapping(HEAD + FIELDS)).open("{}", sent_at_ms=SENT_AT_MS)

    with pytest.raises(Rejected) as rejection:
        route.points(opened, [None], sent_at_ms=SENT_AT_MS)

    assert rejection.value.detail == "v: none of them is there"


def test_rows_are_spread_by_what_they_hold() -> None:
    """Readings that are arrays are told apart within a second like objects, and by their place."""
    mapping = (
        HEAD + "payload = { readings = '$message' }\n[routes.fields]\nv = { path = '[1]' }\n"
        "[routes.time]\npaths = ['[0]']\n"
    )
    route, opened = Encoder(parse_mapping(mapping)).open(
        "[[1700000000, 1], [1700000000, 1], [1700000000, 2]]", sent_at_ms=SENT_AT_MS
    )

    lines = route.encode(opened, [None] * 3, sent_at_ms=SENT_AT_MS)

    assert len({each.split()[-1] for each in lines}) == 3

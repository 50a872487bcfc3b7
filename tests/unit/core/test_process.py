"""Messages into lines, with every outcome."""

import json
from typing import Any

import pytest

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Attributes, Message, Reason, State
from ingestor.core.metadata import Known, Metadata
from ingestor.core.opened import Opened
from ingestor.core.process import encode, encode_at_once, parse, wanted_keys

READING = {"pressure": 1, "deviceid": "d", "clientid": "c", "metakey": "1"}


def held(body: str | dict[str, Any]) -> Message:
    """A message with a body, just received."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Message("id", "handle", text, Attributes(1_700_000_000_000))


def at_hand(*keys: str) -> Known:
    """Records of these keys."""
    known = Known()
    for key in keys:
        known[key] = Metadata({"family": f"f{key}"})
    return known


def encoder(missing: str = "write") -> Encoder:
    """The built-in mapping with another policy."""
    return Encoder(parse_mapping(DEFAULT_MAPPING.replace('"write"', f'"{missing}"')))


def test_good_among_bad() -> None:
    """Bad neighbours are sorted out with their reasons, the good ones go on."""
    messages = [held(READING), held("{"), held(READING | {"metakey": True}), held(READING)]

    parsed, rejected = parse(encoder(), messages)

    assert [each.held for each in parsed] == [messages[0], messages[3]]
    assert rejected == messages[1:3]
    assert [each.rejection.reason for each in rejected if each.rejection] == [
        Reason.NOT_JSON,
        Reason.BAD_METADATA_KEY,
    ]


def test_a_refused_message_keeps_nothing_alive() -> None:
    """The collector does not look into messages: a traceback in one would never be freed."""
    _, [unread] = parse(encoder(), [held("{")])
    parsed, _ = parse(encoder(), [held(READING | {"sensordatetime": "never"})])
    [unmapped] = encode(parsed, {"1": None}).rejected

    for each in (unread, unmapped):
        assert each.rejection is not None
        assert each.rejection.__traceback__ is None
        assert each.rejection.__cause__ is each.rejection.__context__ is None


def test_wanted_keys_are_distinct() -> None:
    """Each record is asked for once; readings without a key ask for none."""
    bodies = [READING, READING | {"metakey": "2"}, READING | {"metakey": None}, READING]
    parsed, _ = parse(encoder(), map(held, bodies))

    assert wanted_keys(parsed) == ["1", "2"]


def test_lines_and_owners() -> None:
    """Every line knows its message, and every message how many lines are open."""
    parsed, _ = parse(encoder(), [held(READING), held(READING | {"metakey": None})])

    result = encode(parsed, {"1": Metadata({"family": "f"})})

    assert [b"family=f" in line for line in result.lines] == [True, False]
    assert result.owners == [each.held for each in parsed]
    assert [each.open_lines for each in result.owners] == [1, 1]
    assert result.without_metadata == 1


def test_unanswered_waits() -> None:
    """A key that was not answered is not a missing record: the message waits."""
    parsed, _ = parse(encoder("reject"), [held(READING), held(READING | {"metakey": "2"})])

    result = encode(parsed, {"2": Metadata()})

    assert result.unanswered == parsed[:1]
    assert result.owners == [parsed[1].held]
    assert result.rejected == []


def test_no_record_and_write() -> None:
    """With policy `write` the reading is stored without the record's tags, and counted."""
    parsed, _ = parse(encoder(), [held(READING)])

    result = encode(parsed, {"1": None})

    assert (len(result.lines), result.without_metadata) == (1, 1)


def test_no_record_and_reject() -> None:
    """With policy `reject` the message is rejected, naming the record."""
    parsed, _ = parse(encoder("reject"), [held(READING)])

    result = encode(parsed, {"1": None})

    assert result.rejected == [parsed[0].held]
    assert str(parsed[0].held.rejection) == ("enrich: no-metadata: there is no metadata record '1'")


def test_no_record_and_hold() -> None:
    """With policy `hold` the message goes back to the queue for a while."""
    parsed, _ = parse(encoder("hold"), [held(READING)])

    result = encode(parsed, {"1": None})

    assert result.on_hold == [parsed[0].held]
    assert result.lines == []


def test_no_key_and_hold() -> None:
    """A reading that names no record is not held: waiting would be for ever."""
    parsed, _ = parse(encoder("hold"), [held(READING | {"metakey": None})])

    result = encode(parsed, {})

    assert result.on_hold == []
    assert "names no metadata record" in str(parsed[0].held.rejection)


def test_unmappable() -> None:
    """A reading that the mapping refuses is rejected; its neighbour is encoded."""
    parsed, _ = parse(encoder(), [held(READING | {"pressure": "high"}), held(READING)])

    result = encode(parsed, {"1": None})

    assert result.rejected == [parsed[0].held]
    assert result.owners == [parsed[1].held]


def broken() -> Encoder:
    """An encoder with a defect that certain readings meet."""
    encoder = Encoder(parse_mapping(DEFAULT_MAPPING))
    (route,) = encoder.routes
    find_key, make_lines, make_line = route.metadata_key, route.encode, encoder.of_text
    assert make_line is not None

    def key(reading: dict[str, Any], opened: Opened) -> str | None:
        if reading["metakey"] == "fatal":
            raise ZeroDivisionError("secret")
        return find_key(reading, opened)

    def lines(opened: Opened, *rest: Any, **more: Any) -> list[bytes]:
        if opened.readings[0]["pressure"] < 0:
            raise ZeroDivisionError("secret")
        return make_lines(opened, *rest, **more)

    def line(text: str, sent_at_ms: int, known: Known) -> bytes | None:
        if "-1" in text or "fatal" in text:
            raise ZeroDivisionError("secret")
        return make_line(text, sent_at_ms, known)

    encoder.of_text = line
    route.metadata_key = key
    route.encode = lines  # type: ignore[method-assign] # the defect
    return encoder


@pytest.mark.parametrize("change", [{"metakey": "fatal"}, {"pressure": -1}])
def test_defect(change: dict[str, Any]) -> None:
    """A defect of ours costs the one message that meets it, and leaks nothing of it."""
    good, bad, quick = held(READING | {"metakey": "2"}), held(READING | change), held(READING)
    encoder = broken()

    _, owners, others = encode_at_once(encoder, [bad, good, quick], at_hand("1"))
    parsed, rejected = parse(encoder, others)
    result = encode(parsed, {"2": None, "1": None})

    assert rejected + result.rejected == [bad]
    assert result.owners == [good]
    assert owners == [quick]
    assert bad.rejection is not None
    assert bad.rejection.reason is Reason.INTERNAL_ERROR
    assert bad.rejection.detail == "the ingestor failed with ZeroDivisionError"


def test_at_once() -> None:
    """Whose record is at hand is WRITING with its line; all others go the complete way."""
    usual = held(READING)
    others = [held("{"), held({"n": [READING]}), held(READING | {"metakey": "2"}), held("[]")]
    known = at_hand("1")

    lines, owners, left = encode_at_once(encoder(), [others[0], usual, *others[1:]], known)

    assert owners == [usual]
    assert [b"family=f1" in line for line in lines] == [True]
    assert (usual.open_lines, usual.state) == (1, State.WRITING)
    assert left == others
    assert {each.state for each in others} == {State.RECEIVED}
    assert known.used == 1


def test_no_way_at_once() -> None:
    """A mapping that looks at topics has no short way for whole messages."""
    mapping = DEFAULT_MAPPING.replace("[[routes]]", '[[routes]]\ntopics = ["a/#"]', 1)
    messages = [held(READING)]

    assert encode_at_once(Encoder(parse_mapping(mapping)), messages, at_hand("1")) == (
        [],
        [],
        messages,
    )


def test_at_once_without_records() -> None:
    """A mapping that looks up nothing uses nothing of what is at hand."""
    mapping = "[[routes]]\nmeasurement = 'm'\n[routes.fields]\np = { path = 'pressure' }\n"
    known = at_hand("1")

    lines, _, others = encode_at_once(Encoder(parse_mapping(mapping)), [held(READING)], known)

    assert (len(lines), len(others), known.used) == (1, 0, 0)

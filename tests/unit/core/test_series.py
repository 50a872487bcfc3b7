"""The series of a reading, from what a record remembers and from what the encoder does."""

import pytest

from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from ingestor.core.metadata import Known, Metadata

MAPPING = """
[[routes]]
measurement = "m"
topics = ["a/#"]
tags = { t = { path = "t" }, u = { path = "u" } }
fields = { v = { path = "v" } }
metadata = { key = "key" }

[[routes]]
measurement = "n"
tags = { t = { path = "t" }, u = { path = "u" } }
fields = { v = { path = "v" } }
metadata = { key = "key" }
"""
ONE_ROUTE = "[[routes]]" + MAPPING.rpartition("[[routes]]")[2]


def line(encoder: Encoder, record: Metadata | None, topic: str, tags: str) -> str:
    """The series of a reading with two tags of a letter each, by the complete way."""
    text = f'{{"topic": "{topic}", "key": "k", "t": "{tags[0]}", "u": "{tags[1]}", "v": 1}}'
    route, opened = encoder.open(text, sent_at_ms=1)
    (made,) = route.encode(opened, [record], sent_at_ms=1)
    return made.decode().partition(" ")[0]


@pytest.fixture
def record() -> Metadata:
    """Of a device with one attribute."""
    return Metadata({"site": "s"})


def test_series_of_one_record(record: Metadata) -> None:
    """The first is its own, further ones are remembered beside it; none takes another's place."""
    encoder = Encoder(parse_mapping(ONE_ROUTE))
    (route,) = encoder.routes
    for _ in range(3):
        assert line(encoder, record, "b", "xy") == "n,site=s,t=x,u=y"
        assert line(encoder, record, "b", "xz") == "n,site=s,t=x,u=z"
        assert line(encoder, record, "b", "zy") == "n,site=s,t=z,u=y"
    assert record.series == (route.series.mark, "x", "y", "n,site=s,t=x,u=y")
    assert len(route.series.known) == 2


def test_routes_share_records(record: Metadata) -> None:
    """The same values make another series with another route."""
    encoder = Encoder(parse_mapping(MAPPING))
    for _ in range(2):
        assert line(encoder, record, "a/1", "xy") == "m,site=s,t=x,u=y"
        assert line(encoder, record, "b", "xy") == "n,site=s,t=x,u=y"


def test_encoders_share_records(record: Metadata) -> None:
    """What another mapping made of a record says nothing about this one."""
    first = Encoder(parse_mapping(ONE_ROUTE))
    other = Encoder(parse_mapping(ONE_ROUTE.replace('"n"', '"other"')))
    for _ in range(2):
        assert line(first, record, "b", "xy") == "n,site=s,t=x,u=y"
        assert line(other, record, "b", "xy") == "other,site=s,t=x,u=y"


def test_without_a_record() -> None:
    """The encoder remembers."""
    encoder = Encoder(parse_mapping(ONE_ROUTE))
    for _ in range(2):
        assert line(encoder, None, "b", "xy") == "n,t=x,u=y"
    assert len(encoder.routes[0].series.known) == 1


def test_the_way_of_texts_looks_there_too(record: Metadata) -> None:
    """It gives what the record remembers, where all values are the same."""
    encoder = Encoder(parse_mapping(ONE_ROUTE))
    assert encoder.of_text is not None
    text = '{"key": "k", "t": "x", "u": "y", "v": 1}'
    known = Known()
    known["k"] = record
    made = encoder.of_text(text, 1, known)
    assert made is not None
    assert made.startswith(b"n,site=s,t=x,u=y ")
    record.series = (encoder.routes[0].series.mark, "x", "y", "remembered")
    made = encoder.of_text(text, 1, known)
    assert made is not None
    assert made.startswith(b"remembered ")
    for other in ('"t": "z", "u": "y"', '"t": "x", "u": "z"'):
        made = encoder.of_text(text.replace('"t": "x", "u": "y"', other), 1, known)
        assert made is not None
        assert made.startswith(b"n,site=s,t=")

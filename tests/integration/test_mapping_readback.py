"""What generated messages become is read back from a real InfluxDB as it was meant."""

import json
import os
import re
from typing import Any

import pytest
from contracts.sinks import open_sink
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.payloads import KINDS, SENT_AT_MS, TOPIC, Kind, messages

from ingestor.core.encode import Encoder, Part, explain
from ingestor.core.mapping import parse_mapping
from ingestor.core.message import Rejected
from loadtest.servers import Influxd

MESSAGES = int(os.environ.get("INGESTOR_TEST_MESSAGES", "1000"))
"""For each kind of route."""
TOGETHER = 20
"""Messages drawn at once, which is sooner than one after the other."""
CHUNK = 100
"""Messages of one measurement: fields of all of them become columns of what is read back."""

Point = tuple[str, frozenset[tuple[str, str]], int]


def generated(kind: Kind, count: int) -> list[bytes]:
    """So many messages, nearly all different."""
    found: list[bytes] = []

    @settings(
        max_examples=count // TOGETHER,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(messages(kind), min_size=TOGETHER, max_size=TOGETHER))
    def collect(drawn: list[bytes]) -> None:
        found.extend(drawn)

    collect()
    return found


def meant(measurement: str, parts: list[Part]) -> tuple[Point, dict[str, Any]]:
    """The point that a line is to be, by the rules that made it and not by its text."""
    tags = frozenset(
        (part.what.removeprefix("tag "), part.text) for part in parts if part.what[:4] == "tag "
    )
    fields = {
        part.what.removeprefix("field "): value_of(part.text)
        for part in parts
        if part.what[:6] == "field "
    }
    return (measurement, tags, int(parts[-1].text)), fields


def value_of(text: str) -> Any:
    """The value of a field as the line protocol writes it."""
    if text[0] == '"':
        return re.sub(r"\\([\\\"])", r"\1", text[1:-1])
    if text in {"true", "false"}:
        return text == "true"
    # The JSON of InfluxDB does not tell -0.0 from 0.
    return int(text[:-1]) if text[-1] == "i" else float(text) + 0.0


def encoded(kind: Kind, measurement: str, published: list[bytes]) -> tuple[list[bytes], Any, int]:
    """The lines of messages, the points that they are to be, and how many were refused."""
    encoder = Encoder(parse_mapping(kind.mapping.replace("MEASUREMENT", measurement)))
    lines: list[bytes] = []
    points: dict[Point, dict[str, Any]] = {}
    refused = 0
    for message in published:
        try:
            route, opened = encoder.open_payload(message, TOPIC, sent_at_ms=SENT_AT_MS)
            records = [None] * len(opened.readings)
            lines += route.encode(opened, records, sent_at_ms=SENT_AT_MS)
        except Rejected:
            refused += 1
            continue
        for parts in explain(route, opened, records, sent_at_ms=SENT_AT_MS):
            point, fields = meant(measurement, parts)
            points.setdefault(point, {}).update(fields)
    return lines, points, refused


def as_json(points: dict[Point, dict[str, Any]]) -> dict[Point, str]:
    """Points with their fields as comparable texts, which tell true from 1."""
    return {point: json.dumps(fields, sort_keys=True) for point, fields in points.items()}


async def read_back(server: Influxd, measurement: str, points: dict[Point, Any]) -> Any:
    """The points of a measurement; whole floats are floats again, as JSON does not tell."""
    floats = {
        name
        for fields in points.values()
        for name, value in fields.items()
        if isinstance(value, float)
    }
    tag_names = {name for _, tags, _ in points for name, _ in tags}
    found: dict[Point, dict[str, Any]] = {}
    for row in await server.query_influxql(f'SELECT * FROM "{measurement}" GROUP BY *'):  # noqa: S608 - no SQL
        tags = frozenset((name, row[name]) for name in tag_names if row.get(name))
        fields = {
            name: float(value) if name in floats else value
            for name, value in row.items()
            if value is not None and name != "time" and name not in tag_names
        }
        found[measurement, tags, row["time"]] = fields
    return found


@pytest.mark.servers
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", KINDS)
async def test_ten_thousand_messages(name: str, influxd_v1: Influxd) -> None:
    """InfluxDB takes every line, and holds exactly what was meant; the rest has a reason."""
    kind = KINDS[name]
    published = generated(kind, MESSAGES)
    assert len(published) == MESSAGES

    accepted = 0
    async with open_sink(influxd_v1) as sink:
        for n in range(0, len(published), CHUNK):
            measurement = f"{name} {n}"
            lines, points, refused = encoded(kind, measurement, published[n : n + CHUNK])
            accepted += CHUNK - refused
            if lines:
                await sink.write(lines)
            found = await read_back(influxd_v1, measurement, points)
            assert as_json(found) == as_json(points)
    # A test in which nothing gets through would show nothing.
    assert accepted > MESSAGES * 0.05

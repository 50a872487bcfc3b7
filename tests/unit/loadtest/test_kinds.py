"""Devices of three kinds, and the mapping that makes the same points of all of them."""

import base64
import json

import pytest

from ingestor.core.encode import Encoder
from ingestor.core.mapping import parse_mapping
from loadtest.devices import TOPIC, Device
from loadtest.kinds import CBOR_TOPIC, SENML_TOPIC, CborDevice, SenmlDevice, make_mixed
from loadtest.mapping import MIXED_MAPPING
from loadtest.records import RECORDS

NOW = 1_700_000_000.7
SENT_AT_MS = 1_700_000_001_000


def test_all_kinds_take_part() -> None:
    """The kinds take turns, each on its own topic, and the records are shared evenly."""
    devices = make_mixed(6, RECORDS, seed=1)

    assert [device.topic for device in devices] == [TOPIC, CBOR_TOPIC, SENML_TOPIC] * 2
    assert [device.record for device in devices] == list(RECORDS[:6])


@pytest.mark.parametrize("kind", [Device, CborDevice, SenmlDevice])
def test_all_kinds_become_the_same_points(kind: type[Device]) -> None:
    """Whichever way a reading is sent, its point has the same series, values and second."""
    device = kind(1, RECORDS[0], seed=1)
    readings = device.take(NOW)
    published = device.message(readings)
    envelope = {"topic": device.topic, "received_at": SENT_AT_MS}
    if kind is Device:
        body = {**json.loads(published), **envelope}
    else:
        body = {"data": base64.b64encode(published).decode(), **envelope}

    route, opened = Encoder(parse_mapping(MIXED_MAPPING)).open(
        json.dumps(body), sent_at_ms=SENT_AT_MS
    )
    keys = [route.metadata_key(reading, opened) for reading in opened.readings]
    lines = route.encode(opened, [None] * len(readings), sent_at_ms=SENT_AT_MS)

    assert keys == [RECORDS[0].key] * len(readings)
    assert len({line.split()[-1] for line in lines}) == len(readings)
    for reading, line in zip(readings, lines, strict=True):
        series, fields, ns = line.decode().split()
        assert series == f"pressure,sensorID={device.sensor}"
        assert sorted(fields.split(",")) == [
            f"pressureValue={float(reading.pressure)}",
            f"sequence={reading.sequence}i",
            f"viscosity={float(reading.viscosity)}",
        ]
        assert int(ns) // 10**9 == reading.second

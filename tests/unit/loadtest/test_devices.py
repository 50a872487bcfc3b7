"""What simulated devices say."""

import json
import re
from datetime import datetime
from uuid import UUID

from loadtest.devices import Device, Reading, make_devices
from loadtest.records import RECORDS

NOON = 1_795_521_600.75


def test_a_payload_is_what_the_simulator_sends() -> None:
    """A payload has the simulator's attributes with its types and ranges, and the sequence."""
    device = Device(3, RECORDS[0], seed=1)

    messages = [json.loads(device.payload(device.read(NOON))) for _ in range(200)]
    message = messages[-1]

    assert all(500 <= each["pressure"] <= 1500 for each in messages)
    assert all(25 <= each["viscosity"] <= 100 for each in messages)
    assert set(message) == {
        "pressure", "viscosity", "sensordatetime", "deviceid", "clientid", "metakey", "sequence",
        "_id_",
    }  # fmt: skip
    assert isinstance(message["pressure"], int)
    assert isinstance(message["viscosity"], int)
    assert re.fullmatch(r"[A-Za-z0-9]{9}", message["deviceid"])
    assert UUID(message["clientid"]).version == 4
    assert message["metakey"] == RECORDS[0].key
    assert message["sequence"] == 200


def test_the_time_has_whole_seconds_and_no_zone() -> None:
    """The device's time is UTC without saying so, cut to the second."""
    device = Device(0, RECORDS[0], seed=1)
    reading = device.read(NOON)

    text = json.loads(device.payload(reading))["sensordatetime"]

    assert text == "2026-11-24T12:00:00"
    assert datetime.fromisoformat(f"{text}+00:00").timestamp() == reading.second


def test_the_tag_tells_devices_apart() -> None:
    """The tag of a device is its device id and its client id, the same in every message."""
    device = Device(0, RECORDS[0], seed=1)
    messages = [json.loads(device.payload(device.read(NOON))) for _ in range(3)]

    assert {message["deviceid"] + message["clientid"] for message in messages} == {device.sensor}
    assert len({each.sensor for each in make_devices(100, RECORDS, seed=1)}) == 100


def test_a_seed_gives_the_same_fleet_again() -> None:
    """Devices and their values follow from the seed."""

    def readings(seed: int) -> list[Reading]:
        return [device.read(NOON) for device in make_devices(5, RECORDS, seed=seed)]

    assert readings(7) == readings(7)
    assert readings(7) != readings(8)


def test_the_fleet_uses_every_record_and_spreads_over_the_second() -> None:
    """Devices share the records evenly, and do not all publish at the same moment."""
    devices = make_devices(20, RECORDS, seed=1)

    assert {device.record.key for device in devices} == {record.key for record in RECORDS}
    assert all(0 <= device.phase < 1 for device in devices)
    assert len({device.phase for device in devices}) == 20

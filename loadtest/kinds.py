"""The same sensors, speaking other languages: arrays of readings in CBOR, and SenML."""

import json
from collections.abc import Sequence
from enum import StrEnum

import cbor2

from loadtest.devices import Device, Reading
from loadtest.records import Record

CBOR_TOPIC = "pressure/packed/cbor"
SENML_TOPIC = "pressure/packed/senml"
PACKED_TOPICS = "pressure/packed/+"
"""What the rule for payloads that are no JSON objects listens to."""

_READINGS_AT_ONCE = 2
_MS = 1000


class Kinds(StrEnum):
    """Which devices take part: those of the 2020 demo, or all three kinds in turn."""

    SEED = "seed"
    MIXED = "mixed"


class CborDevice(Device):
    """Sends two readings at a time in one array, with times in milliseconds."""

    topic = CBOR_TOPIC
    whole_seconds = False

    def time_ms(self, reading: Reading) -> int:
        """See Device."""
        return _within_second(reading)

    def take(self, time_seconds: float) -> list[Reading]:
        """See Device."""
        return [self.read(time_seconds) for _ in range(_READINGS_AT_ONCE)]

    def message(self, readings: Sequence[Reading]) -> bytes:
        """See Device."""
        return cbor2.dumps(
            {
                "sensor": self.sensor,
                "key": self.record.key,
                "readings": [
                    {
                        "p": reading.pressure,
                        "v": reading.viscosity,
                        "n": reading.sequence,
                        "t": self.time_ms(reading),
                    }
                    for reading in readings
                ],
            }
        )


class SenmlDevice(Device):
    """Sends a SenML pack: a record for each value, with base name and base time."""

    topic = SENML_TOPIC
    whole_seconds = False

    def time_ms(self, reading: Reading) -> int:
        """See Device."""
        return _within_second(reading)

    def message(self, readings: Sequence[Reading]) -> bytes:
        """See Device."""
        (reading,) = readings
        pack = [
            {
                "bn": self.sensor,
                "bt": self.time_ms(reading) / _MS,
                "n": "pressure",
                "v": reading.pressure,
            },
            {"n": "viscosity", "v": reading.viscosity},
            {"n": "sequence", "v": reading.sequence},
            {"n": "metakey", "vs": self.record.key},
        ]
        return json.dumps(pack, separators=(",", ":")).encode()


def _within_second(reading: Reading) -> int:
    """A time of its own for each of a thousand readings."""
    return reading.second * _MS + reading.sequence % _MS


def make_mixed(count: int, records: Sequence[Record], *, seed: int) -> list[Device]:
    """Devices of all kinds in turn, that share the records evenly."""
    kinds = (Device, CborDevice, SenmlDevice)
    return [
        kinds[number % len(kinds)](number, records[number % len(records)], seed=seed)
        for number in range(count)
    ]

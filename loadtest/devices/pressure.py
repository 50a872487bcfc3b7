"""Simulated pressure sensors: who they are and what they say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from string import ascii_letters, digits
from uuid import UUID

from loadtest.records import Record

TOPIC = "pressure/data"

_SHORT_ID_CHARACTERS = 9
_MS = 1_000
_PRESSURE = (500, 1500)
_VISCOSITY = (25, 100)


@dataclass(slots=True, frozen=True)
class Reading:
    """One reading, identified by (`sensor`, `sequence`); `second` is its time, in epoch seconds."""

    sensor: str
    sequence: int
    pressure: int
    viscosity: int
    second: int

    @property
    def identity(self) -> tuple[str, int]:
        """Sensor and sequence number."""
        return self.sensor, self.sequence


class Device:
    """One sensor. The same number and seed give the same device with the same values.

    `sensor` is the value of the tag that tells devices apart in InfluxDB. `phase` is the share of
    the interval, in [0, 1), by which it publishes later than the others. It publishes on `topic`;
    its two values are stored in `columns` of a `measurement`.
    """

    topic = TOPIC
    measurement = "pressure"
    columns = ("pressureValue", "viscosity")
    whole_seconds = True

    def __init__(self, number: int, record: Record, *, seed: int) -> None:
        self._random = Random(f"{seed}:{number}")
        self.name = f"device-{number}"
        self.record = record
        self.phase = self._random.random()
        self._device_id = self._short_id()
        self._client_id = str(UUID(int=self._random.getrandbits(128), version=4))
        self._simulator_id = self._short_id()
        self._sequence = 0
        self.sensor = self._device_id + self._client_id

    @property
    def tags(self) -> Mapping[str, str]:
        """The metadata that its points must show."""
        return self.record.tags

    def time_ms(self, reading: Reading) -> int:
        """The time that a message gives a reading, in epoch milliseconds."""
        return reading.second * _MS

    def read(self, time_seconds: float) -> Reading:
        """The next reading, taken at `time_seconds` since the epoch."""
        self._sequence += 1
        return Reading(
            self.sensor,
            self._sequence,
            self._random.randint(*_PRESSURE),
            self._random.randint(*_VISCOSITY),
            int(time_seconds),
        )

    def take(self, time_seconds: float) -> list[Reading]:
        """The readings of the next message, taken at `time_seconds` since the epoch."""
        return [self.read(time_seconds)]

    def message(self, readings: Sequence[Reading]) -> bytes:
        """A message with what was taken for it."""
        (reading,) = readings
        return self.payload(reading)

    def payload(self, reading: Reading) -> bytes:
        """The message as the IoT Device Simulator writes it, plus the sequence number.

        Its time has whole seconds and no zone, and every message carries the simulator's `_id_`.
        """
        moment = datetime.fromtimestamp(reading.second, UTC)
        message = {
            "pressure": reading.pressure,
            "viscosity": reading.viscosity,
            "sensordatetime": moment.strftime("%Y-%m-%dT%H:%M:%S"),
            "deviceid": self._device_id,
            "clientid": self._client_id,
            "metakey": self.record.key,
            "sequence": reading.sequence,
            "_id_": self._simulator_id,
        }
        return json.dumps(message, separators=(",", ":")).encode()

    def _short_id(self) -> str:
        return "".join(self._random.choices(ascii_letters + digits, k=_SHORT_ID_CHARACTERS))


def make_devices(count: int, records: Sequence[Record], *, seed: int) -> list[Device]:
    """Devices that share the records evenly."""
    return [Device(number, records[number % len(records)], seed=seed) for number in range(count)]

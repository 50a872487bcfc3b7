"""Devices made from descriptions: who they are, what they measure next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from uuid import UUID

from loadtest.devices.describe import Kind
from loadtest.devices.draws import Draws
from loadtest.devices.signals import Scalar
from loadtest.records import Record

_MS = 1_000
_SHORT = 9


@dataclass(slots=True)
class Sample:
    """One reading: known by (`device`, `sequence`), taken at `time_ms` since the epoch.

    `values` are those of the kind's fields, in their order.
    """

    device: int
    sequence: int
    time_ms: int
    values: tuple[Scalar, ...]


class SimulatedDevice:
    """One device. The same kind, number and seed give the same device with the same values.

    `sensor` is the value of the tag that tells devices apart in InfluxDB. `skew_ms` is how much
    its clock is ahead of ours. About a kilobyte each, because there may be 100,000.
    """

    __slots__ = (
        "_draws",
        "_last_ms",
        "_states",
        "client_id",
        "device_id",
        "kind",
        "number",
        "record",
        "sensor",
        "sequence",
        "skew_ms",
    )

    def __init__(self, kind: Kind, number: int, record: Record, *, seed: int) -> None:
        draws = Draws("device", seed, number)
        self.kind = kind
        self.number = number
        self.record = record
        self.device_id = draws.text(ascii_letters + digits, _SHORT)
        self.client_id = str(UUID(int=draws.bits() << 64 | draws.bits(), version=4))
        self.sensor = self.device_id + self.client_id
        self.sequence = 0
        self.skew_ms = 0
        self._last_ms = 0
        self._states = [signal.begin(draws) for signal in kind.signals]
        self._draws = draws

    @property
    def name(self) -> str:
        """Its name towards the broker."""
        return f"device-{self.number}"

    @property
    def measurement(self) -> str:
        """What its readings are stored as."""
        return self.kind.measurement

    @property
    def columns(self) -> Sequence[str]:
        """The fields that its values are stored as, in their order."""
        return self.kind.columns

    @property
    def tags(self) -> Mapping[str, str]:
        """The metadata that its points must show."""
        return self.record.tags

    @property
    def whole_seconds(self) -> bool:
        """Whether its readings are sent with times of whole seconds."""
        return self.kind.whole_seconds

    @property
    def topic(self) -> str:
        """Where it publishes."""
        return self.kind.topic.replace("+", self.name)

    def take(self, time_ms: int) -> Sample:
        """The next reading, at this time of our clock.

        No two readings have the same time, as nothing else tells points of one device apart.
        """
        self.sequence += 1
        self._last_ms = time_ms = max(time_ms + self.skew_ms, self._last_ms + 1)
        seconds = time_ms / _MS
        values: tuple[Scalar, ...] = ()
        for signal, state in zip(self.kind.signals, self._states, strict=True):
            values += signal.next(state, seconds, self._draws)
        return Sample(self.number, self.sequence, time_ms, values)


def make_fleet(
    kinds: Sequence[Kind], count: int, records: Sequence[Record], *, seed: int
) -> list[SimulatedDevice]:
    """So many devices, of each kind as many as its share says, that share the records evenly."""
    total = sum(kind.share for kind in kinds)
    owed = [0.0] * len(kinds)
    made = []
    for number in range(count):
        owed = [debt + kind.share / total for debt, kind in zip(owed, kinds, strict=True)]
        most = max(range(len(kinds)), key=owed.__getitem__)
        owed[most] -= 1
        record = records[number % len(records)]
        made.append(SimulatedDevice(kinds[most], number, record, seed=seed))
    return made

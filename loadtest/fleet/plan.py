"""The plan of a run: which message is due when, worked out from the options alone.

Nothing here knows a clock. The rate is integrated over time, so that the plan says exactly how many
messages a run has; who waits for whom later does not change it.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from loadtest.devices.describe import Format
from loadtest.devices.draws import Draws
from loadtest.devices.payloads import write
from loadtest.devices.routes import FIRMWARE
from loadtest.devices.simulated import Sample, SimulatedDevice
from loadtest.fleet.profiles import Draft, Profile, Run

TICK_SECONDS = 0.05
_STEPS = 4
"""In how many steps the rate is integrated over a tick."""
_COPY_SECONDS = 2.0
_MS = 1_000
_PRIME = 7_919

STORED = ""
"""What is expected of a good message. Of others: how the reason of the dead letter begins."""


@dataclass(slots=True)
class Message:
    """A message that is due `due` seconds after the start, with one reading.

    `copy` says that it is the second of two. `row` is its place in the ledger, 0 before it has one.
    """

    due: float
    device: SimulatedDevice
    sample: Sample
    payload: bytes
    firmware: str
    expected: str
    copy: bool
    row: int = 0


@dataclass(slots=True)
class Tick:
    """What is due between two moments, in order, and what was not to be sent."""

    number: int
    end: float
    messages: list[Message] = field(default_factory=list)
    silent: int = 0


class Plan:
    """The messages of a run. The same options and `start_ms` give the same bytes.

    `rate` is messages a second of the whole fleet, before profiles change it.
    """

    def __init__(
        self,
        devices: Sequence[SimulatedDevice],
        profiles: Sequence[Profile],
        run: Run,
        *,
        rate: float,
        start_ms: int,
    ) -> None:
        self.run = run
        self.storms = sorted({at for profile in profiles for at in profile.storms(run)})
        self.marks = sorted({mark for profile in profiles for mark in profile.marks(run)})
        self.devices = devices
        self._profiles = profiles
        self._rate = rate
        self.start_ms = start_ms
        self._draws = Draws("plan", run.seed)
        self._held: list[tuple[float, int, Message]] = []
        self._made = 0
        self._order = _stride(len(devices))
        for profile in profiles:
            for device in devices:
                profile.prepare(device, run)

    def ticks(self) -> Iterator[Tick]:
        """Every tick of the run, and further ones until nothing is held back any more."""
        owed = 0.0
        number = 0
        slot = 0
        while (begin := number * TICK_SECONDS) < self.run.seconds or self._held:
            end = begin + TICK_SECONDS
            tick = Tick(number, end)
            before = owed
            owed += self._integral(begin, end)
            while slot < int(owed + 1e-9):
                at = begin + (slot + 1 - before) / (owed - before) * TICK_SECONDS
                self._slot(slot, min(at, end), tick)
                slot += 1
            while self._held and self._held[0][0] <= end:
                tick.messages.append(heapq.heappop(self._held)[2])
            number += 1
            yield tick

    def rate(self, at: float) -> float:
        """Messages a second at this moment."""
        if at >= self.run.seconds:
            return 0.0
        rate = self._rate
        for profile in self._profiles:
            rate *= profile.rate(at, self.run)
        return rate

    def _integral(self, begin: float, end: float) -> float:
        step = (end - begin) / _STEPS
        return sum(self.rate(begin + (n + 0.5) * step) for n in range(_STEPS)) * step

    def _slot(self, slot: int, at: float, tick: Tick) -> None:
        """Whatever the device whose turn it is has to say."""
        device = self.devices[slot * self._order % len(self.devices)]
        draft = Draft(at)
        for profile in self._profiles:
            profile.shape(draft, device, self.run, self._draws)
        if draft.silent:
            tick.silent += 1
            return
        sample = device.take(self.start_ms + int(at * _MS))
        if draft.early_ms:
            sample.time_ms -= draft.early_ms
        extra, expected = self._extra(draft, device, sample)
        payload = write(device, sample, extra)
        due = at + draft.hold_seconds
        for copy in range(draft.copies):
            self._hold(Message(due, device, sample, payload, draft.firmware, expected, copy > 0))
            due += self._draws.uniform(0.0, _COPY_SECONDS)

    def _hold(self, message: Message) -> None:
        self._made += 1
        heapq.heappush(self._held, (message.due, self._made, message))

    def _extra(
        self, draft: Draft, device: SimulatedDevice, sample: Sample
    ) -> tuple[dict[str, object], str]:
        """The members that a message has instead of, or besides, the usual ones."""
        extra: dict[str, object] = {}
        fields = device.kind.fields
        numbers = [field.name for field in fields if field.kind == "float"]
        if draft.firmware:
            extra[FIRMWARE] = draft.firmware
        # SenML has no numbers as texts: they would be other records.
        if draft.numbers_as_text and device.kind.format is not Format.SENML:
            extra |= {
                field.name: str(value)
                for field, value in zip(fields, sample.values, strict=True)
                if field.kind == "float"
            }
        if not draft.poison:
            return extra, STORED
        if device.kind.format is Format.SENML:
            extra[numbers[0]] = "out of order"
            return extra, "map missing-field"
        if self._draws.below(2):
            extra[numbers[0]] = "out of order"
            return extra, "map bad-field"
        time = "sensordatetime" if device.kind.format is Format.SIMULATOR else "time"
        extra[time] = "the day before yesterday"
        return extra, "map bad-time"


def _stride(count: int) -> int:
    """A step through the devices that meets each once a round, and mixes their kinds."""
    step = _PRIME % count or 1
    while _common(step, count) != 1:
        step += 1
    return step


def _common(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a

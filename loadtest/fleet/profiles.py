"""Profiles: how the load moves, and what is out of the ordinary about messages.

A profile is pure: it answers for a moment of the run, in seconds since its start, and for a
message with random numbers that it is given. Any number of them work together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sin
from typing import ClassVar

from loadtest.devices.draws import Draws
from loadtest.devices.routes import FIRMWARE
from loadtest.devices.simulated import SimulatedDevice

_MS = 1_000


@dataclass(slots=True)
class Draft:
    """What is still to be decided about a device's next message."""

    at: float
    silent: bool = False
    hold_seconds: float = 0.0
    early_ms: int = 0
    copies: int = 1
    poison: bool = False
    firmware: str = ""
    numbers_as_text: bool = False


@dataclass(slots=True, frozen=True)
class Run:
    """What profiles know of a run: its seconds, and the seed that decides who is affected."""

    seconds: float
    seed: int

    def affects(self, profile: str, device: SimulatedDevice, share: float) -> bool:
        """Whether a device is of those that a profile picks: the same ones all the time."""
        return Draws(profile, self.seed, device.number).uniform() < share


@dataclass(slots=True, frozen=True)
class Profile:
    """The profile that changes nothing, `steady`; the others change one thing each."""

    name: ClassVar[str] = "steady"
    about: ClassVar[str] = "the same rate all the time"

    def rate(self, at: float, run: Run) -> float:
        """By what the rate is multiplied at this moment."""
        del at, run
        return 1.0

    def storms(self, run: Run) -> Iterator[float]:
        """When all connections are cut."""
        del run
        return iter(())

    def marks(self, run: Run) -> Iterator[tuple[float, str]]:
        """Moments that a picture of the run should show, with a word for each."""
        yield from ((at, self.name) for at in self.storms(run))

    def prepare(self, device: SimulatedDevice, run: Run) -> None:
        """Change a device before the run."""

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """Change what becomes of a message."""


@dataclass(slots=True, frozen=True)
class Ramp(Profile):
    """From nothing to the full rate over a share of the run."""

    name = "ramp"
    about = "the rate grows from 0 over a share of the run"
    over: float = 0.5

    def rate(self, at: float, run: Run) -> float:
        """See Profile."""
        return min(1.0, at / (self.over * run.seconds))


@dataclass(slots=True, frozen=True)
class Burst(Profile):
    """Several times the rate, now and then."""

    name = "burst"
    about = "`factor` times the rate for `seconds` of every `every` seconds"
    factor: float = 5.0
    seconds: float = 5.0
    every: float = 30.0

    def marks(self, run: Run) -> Iterator[tuple[float, str]]:
        """See Profile."""
        at = (self.every - self.seconds) / 2
        while at < run.seconds:
            yield at, self.name
            at += self.every

    def rate(self, at: float, run: Run) -> float:
        """See Profile: in the middle of each period, so that a run begins and ends calmly."""
        del run
        begin = (self.every - self.seconds) / 2
        return self.factor if begin <= at % self.every < begin + self.seconds else 1.0


@dataclass(slots=True, frozen=True)
class Wave(Profile):
    """A day: little in the night, much at noon."""

    name = "wave"
    about = "a daily wave, `day` seconds long (0: the whole run), `depth` deep"
    day: float = 0.0
    depth: float = 0.8

    def rate(self, at: float, run: Run) -> float:
        """See Profile; it begins in the night, and its mean is the rate."""
        day = self.day or run.seconds
        return 1.0 + self.depth * sin(2 * pi * (at / day - 0.25))


@dataclass(slots=True, frozen=True)
class Storm(Profile):
    """All connections break at once, and come back at once."""

    name = "storm"
    about = "all connections are cut every `every` seconds"
    every: float = 20.0

    def storms(self, run: Run) -> Iterator[float]:
        """See Profile."""
        number = 1
        while number * self.every < run.seconds:
            yield number * self.every
            number += 1


@dataclass(slots=True, frozen=True)
class OutOfOrder(Profile):
    """Some messages are overtaken by later ones of their device."""

    name = "disorder"
    about = "a share of the messages is held back for up to `seconds`"
    share: float = 0.1
    seconds: float = 5.0

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """See Profile."""
        del device, run
        if draws.uniform() < self.share:
            draft.hold_seconds += draws.uniform(0.0, self.seconds)


@dataclass(slots=True, frozen=True)
class Late(Profile):
    """Some messages come out of a buffer: taken before the run."""

    name = "late"
    about = "a share of the messages was taken `seconds` before the run"
    share: float = 0.05
    seconds: float = 3_600.0

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """See Profile; counted backwards from there, no two have the same time."""
        del device, run
        if draws.uniform() < self.share:
            draft.early_ms = round((self.seconds + 2 * draft.at) * _MS)


@dataclass(slots=True, frozen=True)
class Duplicates(Profile):
    """Some messages are sent twice, as QoS 1 allows."""

    name = "duplicates"
    about = "a share of the messages is sent twice"
    share: float = 0.05

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """See Profile."""
        del device, run
        draft.copies += draws.uniform() < self.share


@dataclass(slots=True, frozen=True)
class Skew(Profile):
    """Some clocks are wrong."""

    name = "skew"
    about = "a share of the devices has a clock that is wrong by up to `seconds`"
    share: float = 0.2
    seconds: float = 30.0

    def prepare(self, device: SimulatedDevice, run: Run) -> None:
        """See Profile."""
        if run.affects(self.name, device, self.share):
            draws = Draws("skew-by", run.seed, device.number)
            device.skew_ms = round(draws.uniform(-self.seconds, self.seconds) * _MS)


@dataclass(slots=True, frozen=True)
class Firmware(Profile):
    """Half-way, some devices get a firmware with a new field and numbers as texts."""

    name = "firmware"
    about = f"from `after` of the run on, a share has a field `{FIRMWARE}` and numbers as text"
    share: float = 0.5
    after: float = 0.5

    def marks(self, run: Run) -> Iterator[tuple[float, str]]:
        """See Profile."""
        yield self.after * run.seconds, self.name

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """See Profile."""
        del draws
        if draft.at >= self.after * run.seconds and run.affects(self.name, device, self.share):
            draft.firmware = "2.0.0"
            draft.numbers_as_text = True


@dataclass(slots=True, frozen=True)
class Poison(Profile):
    """Some messages can never be stored."""

    name = "poison"
    about = "a share of the messages can never be stored"
    share: float = 0.005

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """See Profile."""
        del device, run
        draft.poison = draws.uniform() < self.share


@dataclass(slots=True, frozen=True)
class Silent(Profile):
    """Some devices say nothing for a while."""

    name = "silent"
    about = "a share of the devices says nothing from `after` to `until` of the run"
    share: float = 0.2
    after: float = 0.4
    until: float = 0.8

    def marks(self, run: Run) -> Iterator[tuple[float, str]]:
        """See Profile."""
        yield self.after * run.seconds, self.name
        yield self.until * run.seconds, "back"

    def shape(self, draft: Draft, device: SimulatedDevice, run: Run, draws: Draws) -> None:
        """See Profile."""
        del draws
        away = self.after * run.seconds <= draft.at < self.until * run.seconds
        draft.silent = draft.silent or (away and run.affects(self.name, device, self.share))


PROFILES: dict[str, type[Profile]] = {
    each.name: each
    for each in (
        Profile, Ramp, Burst, Wave, Storm, OutOfOrder, Late, Duplicates, Skew, Firmware, Poison,
        Silent,
    )
}  # fmt: skip
"""Every profile by its name."""

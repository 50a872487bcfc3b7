"""What a device measures: signals that move like a plant, not like dice.

A signal is made once for each kind of device. `begin` draws what one device has of it, its state,
and `next` gives the value at a time and moves the state on. Times are seconds since the epoch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi, radians, sin
from typing import Any, Protocol

from loadtest.devices.draws import Draws, Parameter

State = list[float]
Scalar = float | int | str | bool
_METERS_PER_DEGREE = 111_320.0
_SECONDS_PER_HOUR = 3_600.0
_POLE = 85.0


class Signal(Protocol):
    """One signal of a kind of device, with one value or several."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The ends of the names of its values: one that is empty, where it has one value."""
        ...

    def begin(self, draws: Draws) -> State:
        """What one device has of it."""
        ...

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """A value for each of `fields`."""
        ...


@dataclass(slots=True, frozen=True)
class _Numeric:
    """Parameters by name, and how many digits are sent; 0 is a whole number."""

    parameters: Mapping[str, Parameter]
    digits: int
    fields: tuple[str, ...] = ("",)

    def begin(self, draws: Draws) -> State:
        """See Signal: the parameters in their order."""
        return [draw(draws) for draw in self.parameters.values()]

    def _rounded(self, value: float) -> tuple[Scalar, ...]:
        return (round(value, self.digits) if self.digits else round(value),)


class Constant(_Numeric):
    """Always `value`."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        del seconds, draws
        return self._rounded(state[0])


class RandomWalk(_Numeric):
    """From `start` in normal steps of deviation `step`, thrown back at `low` and `high`."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        del seconds
        value, step, low, high = state
        value += step * draws.normal()
        if value < low:
            value = min(2 * low - value, high)
        elif value > high:
            value = max(2 * high - value, low)
        state[0] = value
        return self._rounded(value)


class Sine(_Numeric):
    """A wave around `mean`, `amplitude` high, `period_seconds` long, with normal `noise`."""

    def begin(self, draws: Draws) -> State:
        """See Signal; every device has a phase of its own."""
        return [*super().begin(draws), draws.uniform()]

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        mean, amplitude, period, noise, phase = state
        wave = sin(2 * pi * (seconds / period + phase))
        return self._rounded(mean + amplitude * wave + noise * draws.normal())


class Drift(_Numeric):
    """Starts at `start` and moves by `per_hour`, with normal `noise`: a sensor that ages."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        if len(self.parameters) == len(state):
            state.append(seconds)
        start, per_hour, noise, since = state
        moved = per_hour * (seconds - since) / _SECONDS_PER_HOUR
        return self._rounded(start + moved + noise * draws.normal())


class Step(_Numeric):
    """Stays at a level between `low` and `high`, and at another every `hold_seconds` or so."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        if len(self.parameters) == len(state):
            state += [0.0, 0.0]
        low, high, hold, _, until = state
        if seconds >= until:
            state[3] = draws.uniform(low, high)
            state[4] = seconds + hold * draws.uniform(0.5, 1.5)
        return self._rounded(state[3])


class Decay(_Numeric):
    """Falls from `start` towards `toward` by half in `half_life_seconds`, refilled at `refill`."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        del draws
        if len(self.parameters) == len(state):
            state.append(seconds)
        start, toward, half_life, refill, since = state
        value = toward + (start - toward) * 0.5 ** ((seconds - since) / half_life)
        if abs(value - toward) <= abs(refill - toward):
            state[4] = seconds
            value = start
        return self._rounded(value)


class Counter(_Numeric):
    """Counts up from `start` by `step`, and begins again at 0 when `wrap` is reached."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        del seconds, draws
        value, step, wrap = state
        state[0] = (value + step) % wrap
        return self._rounded(value)


class Integer(_Numeric):
    """Any whole number from `low` to `high`, both included."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        del seconds
        low, high = state
        return (int(low) + draws.below(int(high) - int(low) + 1),)


class Track(_Numeric):
    """A place that moves from `latitude` and `longitude`: `speed` in m/s, `turn` in degrees."""

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        if len(self.parameters) == len(state):
            state += [draws.uniform(0, 360), seconds]
        latitude, longitude, speed, turn, heading, before = state
        elapsed = max(0.0, seconds - before)
        heading = (heading + turn * elapsed**0.5 * draws.normal()) % 360
        far = speed * elapsed / _METERS_PER_DEGREE
        latitude = max(-_POLE, min(_POLE, latitude + far * cos(radians(heading))))
        longitude += far * sin(radians(heading)) / cos(radians(latitude))
        longitude = (longitude + 180) % 360 - 180
        state[:] = [latitude, longitude, speed, turn, heading, seconds]
        return round(latitude, self.digits), round(longitude, self.digits)


@dataclass(slots=True, frozen=True)
class Choice:
    """One of `values`, which stays for a while: another is drawn with probability `change`."""

    values: tuple[str, ...]
    change: float
    fields: tuple[str, ...] = ("",)

    def begin(self, draws: Draws) -> State:
        """See Signal."""
        return [draws.below(len(self.values))]

    def next(self, state: State, seconds: float, draws: Draws) -> tuple[Scalar, ...]:
        """See Signal."""
        del seconds
        if draws.uniform() < self.change:
            state[0] = draws.below(len(self.values))
        return (self.values[int(state[0])],)


@dataclass(slots=True, frozen=True)
class Shape:
    """What a kind of signal is called, and its parameters with their defaults; None is none."""

    make: Callable[..., Any]
    parameters: Mapping[str, float | None]
    digits: int = 2
    fields: tuple[str, ...] = ("",)


SHAPES: Mapping[str, Shape] = {
    "constant": Shape(Constant, {"value": None}),
    "random-walk": Shape(RandomWalk, {"start": None, "step": None, "low": None, "high": None}),
    "sine": Shape(Sine, {"mean": None, "amplitude": None, "period_seconds": None, "noise": 0.0}),
    "drift": Shape(Drift, {"start": None, "per_hour": None, "noise": 0.0}),
    "step": Shape(Step, {"low": None, "high": None, "hold_seconds": None}),
    "decay": Shape(
        Decay, {"start": None, "toward": 0.0, "half_life_seconds": None, "refill": None}
    ),
    "integer": Shape(Integer, {"low": None, "high": None}, digits=0),
    "counter": Shape(Counter, {"start": 0.0, "step": 1.0, "wrap": 2.0**31}, digits=0),
    "track": Shape(
        Track,
        {"latitude": None, "longitude": None, "speed": 15.0, "turn": 5.0},
        digits=6,
        fields=("latitude", "longitude"),
    ),
}
"""Every kind of signal with numbers, by the name that a description gives it."""

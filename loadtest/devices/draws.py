"""Random numbers that cost a device eight bytes, and parameters drawn from distributions."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import exp
from typing import Any

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_GOLDEN = 0x9E37_79B9_7F4A_7C15
_FIRST, _SECOND = 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB
_SQRT_3 = 3**0.5


class Draws:
    """A sequence of random numbers that follows from its key alone (SplitMix64).

    `random.Random` keeps 2.5 kB, which is too much for each of 100,000 devices.
    """

    __slots__ = ("_state",)

    def __init__(self, *key: object) -> None:
        text = "\x1f".join(map(str, key)).encode()
        self._state = int.from_bytes(blake2b(text, digest_size=8).digest())

    def bits(self) -> int:
        """64 random bits."""
        self._state = z = (self._state + _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * _FIRST) & _MASK
        z = ((z ^ (z >> 27)) * _SECOND) & _MASK
        return z ^ (z >> 31)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        return low + (high - low) * (self.bits() >> 11) * 2.0**-53

    def normal(self) -> float:
        """About normal, mean 0, deviation 1, never beyond 3.5: the sum of four uniform numbers."""
        z = self.bits()
        total = (z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48)
        return (total / 65535 - 2.0) * _SQRT_3

    def below(self, limit: int) -> int:
        """A whole number in [0, limit)."""
        return (self.bits() * limit) >> 64

    def choose(self, values: Sequence[Any]) -> Any:
        """One of the values."""
        return values[self.below(len(values))]

    def text(self, characters: str, length: int) -> str:
        """So many of these characters."""
        return "".join(characters[self.below(len(characters))] for _ in range(length))


Parameter = Callable[[Draws], float]
"""A number that each device draws for itself, once."""


def parse_parameter(given: object, where: str) -> Parameter:
    """A parameter from a description: a number, or a table with one distribution.

    `{ uniform = [low, high] }`, `{ normal = [mean, deviation] }`, `{ lognormal = [mu, sigma] }`
    (of the logarithm) or `{ choice = [a, b, …] }`. Raises ValueError that names `where`.
    """
    match given:
        case bool():
            pass
        case int() | float():
            return lambda _: given
        case {"uniform": [int() | float() as low, int() | float() as high], **others} if not others:
            return lambda draws: draws.uniform(low, high)
        case {"normal": [int() | float() as mean, int() | float() as sigma], **others} if (
            not others
        ):
            return lambda draws: mean + sigma * draws.normal()
        case {"lognormal": [int() | float() as mu, int() | float() as sigma], **others} if (
            not others
        ):
            return lambda draws: exp(mu + sigma * draws.normal())
        case {"choice": [_, *_] as values, **others} if not others and all(
            isinstance(each, int | float) for each in values
        ):
            return lambda draws: draws.choose(values)
        case _:
            pass
    raise ValueError(
        f"{where}: {given!r} is neither a number nor one of uniform = [low, high], "
        "normal = [mean, deviation], lognormal = [mu, sigma], choice = [numbers]"
    )

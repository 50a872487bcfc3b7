"""Texts of the command line, read: profiles, numbers, rates, durations."""

import re
from dataclasses import fields

from loadtest.fleet.profiles import PROFILES, Profile

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*([smh])")


def parse_profile(text: str) -> Profile:
    """A profile as the command line names it: `burst`, `poison=0.5%`, `burst:factor=3,every=60`.

    A share may be written as `0.05` or `5%`. Raises ValueError that says what is wrong.
    """
    head, _, rest = text.partition(":")
    name, equals, share = head.partition("=")
    made = PROFILES.get(name)
    if made is None:
        raise ValueError(f"there is no profile {name!r}, only {', '.join(PROFILES)}")
    known = [each.name for each in fields(made)]
    pairs = [each.partition("=")[::2] for each in rest.split(",")] if rest else []
    given = dict(pairs)
    if equals:
        given["share"] = share
    if unknown := sorted(given.keys() - known):
        raise ValueError(f"{name} has no {', '.join(unknown)}, only {', '.join(known) or 'itself'}")
    options = {key: parse_number(value, f"{name}: {key}") for key, value in given.items()}
    for key, value in options.items():
        limit = 1.0 if key in {"share", "over", "after", "until", "depth"} else float("inf")
        if not 0 < value <= limit and not (value == 0 and key in {"share", "day", "after"}):
            raise ValueError(f"{name}: {key} must be above 0 and at most {limit}, not {value}")
    return made(**options)


def parse_number(text: str, what: str) -> float:
    """A number, or a percentage as a share of 1; ValueError that names `what`."""
    number, percent = (text[:-1], 100) if text.endswith("%") else (text, 1)
    try:
        return float(number) / percent
    except ValueError as exc:
        raise ValueError(f"{what} is a number or a percentage, not {text!r}") from exc


def parse_duration(text: str) -> float:
    """Seconds from `90`, `90s`, `10m`, `2h`; ValueError when it is none of these."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ValueError(f"a duration is like 90s, 10m or 2h, not {text!r}")
    return float(match[1]) * _UNITS[match[2] or "s"]


def parse_rate(text: str) -> float:
    """Messages a second of a device from `1/s`, `6/m`; ValueError when it is none of these."""
    match = _RATE.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ValueError(f"a rate is like 1/s, 6/m or 20/h, not {text!r}")
    return float(match[1]) / _UNITS[match[2]]

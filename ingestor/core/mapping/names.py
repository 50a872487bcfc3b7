"""Names that InfluxDB can take, and patterns over names."""

import re
from collections.abc import Callable, Sequence

RESERVED = frozenset({"time", "_field", "_measurement", "_start", "_stop", "_time", "_value"})
"""Names that InfluxDB keeps for itself: it drops or refuses tags and fields that bear them."""

_LOST_ESCAPE = re.compile(r'\\[,= "]')
"""Names of fields, unlike tags, are read two characters at a time after a backslash."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def unusable_name(name: str) -> str | None:
    """Why InfluxDB could not take this as the name of a measurement, tag or field, if so."""
    if not name:
        return "it is empty; give it a name"
    if name in RESERVED:
        return "InfluxDB keeps this name for itself; choose another"
    if _CONTROL.search(name):
        return "it holds a control character; leave it out"
    if name.endswith("\\"):
        return "it ends with a backslash, which the line protocol cannot express; leave it out"
    return None


def unusable_measurement(name: str) -> str | None:
    """Why InfluxDB could not take this as a measurement, if so."""
    if name.startswith("#"):
        return "it begins with #, which makes the line a comment; begin with something else"
    if _LOST_ESCAPE.search(name):
        return (
            "it holds a backslash before a comma, space, equals sign or quote, which InfluxDB "
            "would drop, storing into another measurement; leave it out"
        )
    return unusable_name(name)


def unusable_field(name: str) -> str | None:
    """Why InfluxDB could not take this as the name of a field, if so."""
    if _LOST_ESCAPE.search(name):
        return (
            "it holds a backslash before a comma, space, equals sign or quote, which the line "
            "protocol cannot express in the name of a field; leave it out"
        )
    return unusable_name(name)


def name_filter(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """A test whether a name matches one of `include` and none of `exclude`.

    In both `*` stands for any text and `?` for one character.
    """
    wanted, unwanted = _any_of(include), _any_of(exclude)
    return lambda name: bool(wanted.fullmatch(name)) and not unwanted.fullmatch(name)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    parts = [re.escape(each).replace(r"\*", ".*").replace(r"\?", ".") for each in patterns]
    # Nothing matches no pattern: the empty look-ahead fails everywhere.
    return re.compile("|".join(parts) if parts else r"(?!)", re.DOTALL)

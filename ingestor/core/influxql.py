"""InfluxQL statements. Names are quoted by `identifier` alone; values are bound, never written."""

from collections.abc import Iterable, Mapping, Sequence

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
NEVER = "time < 0 AND time > 0"
"""A condition that nothing fulfils."""


def identifier(name: str) -> str:
    """The name of a measurement, tag or field as InfluxQL writes it.

    Raises ValueError for a text that no name can be: empty, or with a NUL, which ends a statement.
    """
    if not name or "\0" in name:
        raise ValueError("no name")
    return f'"{name.translate(_ESCAPES)}"'


class Bound:
    """The parameters of a statement, as they are collected while it is written."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def value(self, text: str) -> str:
        """What stands for a text in the statement."""
        name = f"v{len(self.values)}"
        self.values[name] = text
        return f"${name}"


def condition(where: Sequence[Mapping[str, str]], bound: Bound) -> str:
    """True for series that have all tags of any one of the entries; empty: for all."""
    entries = [
        " AND ".join(f"{identifier(name)} = {bound.value(text)}" for name, text in tags.items())
        for tags in where
    ]
    return f" AND ({' OR '.join(f'({each})' for each in entries)})" if entries else ""


def select(
    what: str,
    measurement: str,
    *,
    begin_ns: int,
    end_ns: int | None = None,
    where: str = "",
    group: Iterable[str] = (),
    rest: str = "",
) -> str:
    """One SELECT; `what`, `where` and `rest` are already InfluxQL, all else is not."""
    end = "" if end_ns is None else f" AND time < {end_ns:d}"
    by = ", ".join(group)
    return (
        f"SELECT {what} FROM {identifier(measurement)} WHERE time >= {begin_ns:d}{end}{where}"  # noqa: S608 - names are quoted, values bound
        f"{f' GROUP BY {by}' if by else ''}{f' {rest}' if rest else ''}"
    )

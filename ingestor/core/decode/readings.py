"""The readings in a payload: one, an array of them, or arrays by column."""

from typing import Any

from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.paths import Path, Root, look_up

_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def one_reading(payload: Any) -> list[Any]:
    """A payload that is one reading; Rejected when it is no object."""
    if payload.__class__ is not dict:
        detail = f"the body is {_KINDS[type(payload)]}, not an object"
        raise Rejected(Stage.DECODE, Reason.NOT_AN_OBJECT, detail)
    return [payload]


def readings_at(payload: Any, path: Path, columns: tuple[str, ...]) -> list[Any]:
    """The readings that stand at a path: the elements of an array, or with columns its rows.

    With columns an object of arrays stands there. A row has one element of each, and all other
    members of the object as they are; `("*",)` takes every array for a column.

    Raises:
        Rejected: when something else stands there.
    """
    found = look_up(payload, path.steps)
    if found is None:
        raise _rejected(path, "there is nothing")
    if columns:
        return _rows(found, path, columns)
    if not isinstance(found, list):
        raise _rejected(path, f"it is {_KINDS[type(found)]}, not an array")
    return found


def _rows(found: Any, path: Path, columns: tuple[str, ...]) -> list[Any]:
    if not isinstance(found, dict):
        raise _rejected(path, f"it is {_KINDS[type(found)]}, not an object of columns")
    if columns == ("*",):
        columns = tuple(name for name, value in found.items() if isinstance(value, list))
    for name in columns:
        if not isinstance(found.get(name), list):
            raise _rejected(path, f"the column {name} is not an array")
    if len({len(found[name]) for name in columns}) > 1:
        raise _rejected(path, "the columns have different lengths")
    rest = {name: value for name, value in found.items() if name not in columns}
    rows = zip(*(found[name] for name in columns), strict=True)
    return [{**rest, **dict(zip(columns, row, strict=True))} for row in rows]


def _rejected(path: Path, what: str) -> Rejected:
    place = path if path.root is Root.READING or path.steps else "the payload"
    return Rejected(Stage.DECODE, Reason.BAD_READINGS, f"{place}: {what}")

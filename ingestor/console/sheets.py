"""Metadata records as CSV.

`name` is a column of texts, `name:N` one of numbers, `name:BOOL` of true and false, `name:SS` and
`name:NS` of sets, each cell a JSON array. Values are written as they are: a spreadsheet that takes
`=1+1` for a formula does so with what the table holds.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ingestor.console.editing import name_problem, text_problem, value_problem
from ingestor.console.model import FieldProblem
from ingestor.console_ports import Item
from ingestor.core.tablekeys import Keys

MOST_ROWS = 5_000
MOST_PROBLEMS = 100
KINDS = ("S", "N", "BOOL", "SS", "NS")
_BOOLEANS = {"true": True, "false": False}
_Column = tuple[str, str]


class _Mistake(Exception):
    """One mistake in a file."""


def write_csv(items: Sequence[Item], keys: Keys) -> Iterator[str]:
    """The lines of an export, the header first."""
    columns: set[_Column] = set()
    for item in items:
        columns |= {(name, next(iter(typed))) for name, typed in item.items()}
    ordered = sorted(each for each in columns if each[1] in KINDS and each[0] not in keys.names())
    yield _line([*keys.names(), *(_header(*each) for each in ordered)])
    for item in items:
        cells = [_cell(item.get(name, {}), kind) for name, kind in ordered]
        yield _line([*(item[name]["S"] for name in keys.names()), *cells])


def read_csv(text: str, keys: Keys) -> tuple[list[Item], list[FieldProblem]]:
    """The items of an import, and every mistake in it; with any, the items are of no use."""
    problems: list[FieldProblem] = []
    items: dict[str, Item] = {}
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)

    def add(problem: object) -> None:
        problems.append(FieldProblem(where=f"line {max(1, rows.line_num)}", detail=str(problem)))

    try:
        columns = _columns(next(rows, []), keys)
        for row in rows:
            if not row:
                continue
            _check_count(len(items))
            try:
                _add(_item(row, columns, keys), items, keys)
            except _Mistake as mistake:
                add(mistake)
            if len(problems) >= MOST_PROBLEMS:
                break
    except (csv.Error, _Mistake) as mistake:
        add(mistake)
    return list(items.values()), problems


def _columns(header: Sequence[str], keys: Keys) -> list[_Column]:
    names = keys.names()
    if tuple(header[: len(names)]) != names:
        raise _Mistake(f"the first columns must be {', '.join(names)}")
    columns = [(name, "S") for name in names] + [_column(each) for each in header[len(names) :]]
    if len(set(columns)) < len(columns):
        raise _Mistake("a column is there twice")
    for name, _ in columns[len(names) :]:
        if problem := name_problem(name, keys):
            raise _Mistake(f"column {name[:40]!r}: {problem}")
    return columns


def _check_count(count: int) -> None:
    if count >= MOST_ROWS:
        raise _Mistake(f"an import has at most {MOST_ROWS} rows")


def _add(item: Item, items: dict[str, Item], keys: Keys) -> None:
    key = keys.of(item)
    if key in items:
        raise _Mistake("this key is there twice")
    items[key] = item


def _item(row: Sequence[str], columns: Sequence[_Column], keys: Keys) -> Item:
    if len(row) != len(columns):
        raise _Mistake(f"{len(row)} cells for {len(columns)} columns")
    item: Item = {}
    for cell, (name, kind) in zip(row, columns, strict=True):
        is_key = name in keys.names()
        if not cell and not is_key:
            continue
        typed = _typed(cell, kind)
        problem = text_problem(cell) if is_key else value_problem(typed)
        if name in item:
            problem = "it has two kinds of value"
        if problem:
            raise _Mistake(f"{name[:40]!r}: {problem}")
        item[name] = typed
    return item


def _typed(cell: str, kind: str) -> dict[str, Any]:
    if kind == "BOOL":
        return {kind: _BOOLEANS.get(cell.lower(), cell)}
    if kind in {"SS", "NS"}:
        try:
            return {kind: msgspec.json.decode(cell, type=list[str])}
        except msgspec.MsgspecError:
            return {kind: None}
    return {kind: cell}


def _column(header: str) -> _Column:
    name, colon, kind = header.rpartition(":")
    return (name, kind) if colon and kind in KINDS else (header, "S")


def _header(name: str, kind: str) -> str:
    is_plain = kind == "S" and _column(name) == (name, "S")
    return name if is_plain else f"{name}:{kind}"


def _cell(typed: dict[str, Any], kind: str) -> str:
    value = typed.get(kind)
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return msgspec.json.encode(sorted(value)).decode()
        case _:
            return str(value)


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()

"""Metadata records as people edit them: what is shown, what is accepted, which state it is."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ingestor.console.model import FieldProblem, Record
from ingestor.console_ports import Item
from ingestor.core.prefix import unusable_tag_value
from ingestor.core.tablekeys import Keys
from ingestor.core.tagvalues import tag_values

KINDS = ("S", "N", "BOOL", "NULL", "SS", "NS")
"""Kinds of values that can be edited. The others give no tags, and are left alone."""
_NUMBER = re.compile(r"[+-]?(\d{1,38}(\.\d{0,37})?|\.\d{1,38})([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NAME_BYTES = 255
_LONGEST_TEXT = 100_000


def record_of(item: Item, keys: Keys) -> Record:
    """An item as the API answers it."""
    key, sort_key = keys.split(keys.of(item))
    return Record(
        key=key,
        sort_key=sort_key,
        attributes={name: typed for name, typed in item.items() if is_edited(name, typed, keys)},
        others=sorted(others_of(item, keys)),
        tags=tag_values(item),
    )


def is_edited(name: str, typed: Mapping[str, Any], keys: Keys) -> bool:
    """Whether an attribute is one that people see and change."""
    return name not in keys.names() and next(iter(typed)) in KINDS


def others_of(item: Item, keys: Keys) -> Item:
    """The attributes that stay as they are."""
    return {
        name: typed
        for name, typed in item.items()
        if name not in keys.names() and not is_edited(name, typed, keys)
    }


def etag_of(item: Item) -> str:
    """A name for the state of a record: another content, another name."""
    ordered = json.dumps(_canonical(item), sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(ordered.encode()).hexdigest()[:32]}"'


def checked(attributes: Mapping[str, Any], others: Item, keys: Keys) -> list[FieldProblem]:
    """Every mistake in what is to become of a record."""
    found = []
    for name, typed in attributes.items():
        problem = name_problem(name, keys) or value_problem(typed)
        if name in others:
            problem = "this attribute is a list, a map or binary: it cannot be edited here"
        if problem:
            pointer = name.replace("~", "~0").replace("/", "~1")
            found.append(FieldProblem(where=f"/attributes/{pointer}", detail=problem))
    return found


def value_problem(typed: Any) -> str | None:
    """Why this is no value that we store, if so."""
    if not isinstance(typed, dict) or len(typed) != 1:
        return 'a value is an object with one kind: {"S": "text"}'
    ((kind, value),) = typed.items()
    check = _CHECKS.get(kind)
    return f"its kind is one of {', '.join(KINDS)}" if check is None else check(value)


def name_problem(name: str, keys: Keys) -> str | None:
    """Why no attribute that people edit can have this name, if so."""
    if name in keys.names():
        return "the key is no attribute to set"
    if not 0 < _bytes(name) <= _LONGEST_NAME_BYTES:
        return f"a name has 1 to {_LONGEST_NAME_BYTES} bytes"
    return unusable_tag_value(name)


def text_problem(text: Any) -> str | None:
    """Why this can be no text of a record (its key, a value), if so."""
    if not isinstance(text, str):
        return "it is no text"
    if not 0 < _bytes(text) <= _LONGEST_TEXT:
        return f"a text has 1 to {_LONGEST_TEXT} bytes"
    return unusable_tag_value(text)


def _bytes(text: str) -> int:
    """Its length; 0 for what cannot be encoded."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:  # a lone surrogate
        return 0


def _number_problem(value: Any) -> str | None:
    fits = isinstance(value, str) and _NUMBER.fullmatch(value)
    return None if fits else "it is no number (as a text, of at most 38 digits)"


def _boolean_problem(value: Any) -> str | None:
    return None if isinstance(value, bool) else "it is neither true nor false"


def _null_problem(value: Any) -> str | None:
    return None if value is True else "the value of NULL is true"


def _set_problem(value: Any, check: Any) -> str | None:
    if not isinstance(value, list) or not value:
        return "a set has at least one member"
    problem = next((found for each in value if (found := check(each))), None)
    return problem or ("a set has every member once" if len(set(value)) < len(value) else None)


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "S": text_problem,
    "N": _number_problem,
    "BOOL": _boolean_problem,
    "NULL": _null_problem,
    "SS": lambda value: _set_problem(value, text_problem),
    "NS": lambda value: _set_problem(value, _number_problem),
}


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: sorted(map(str, each)) if name in {"SS", "NS", "BS"} else _canonical(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value if isinstance(value, str | bool | None) else str(value)

"""The place in a payload that a refusal speaks of, for people who look at it."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from ingestor.core.paths import parse_path

_BYTE = re.compile(r"\(byte (\d+)\)")
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST = 256 * 1024
_DEEPEST = 32
_decode = json.JSONDecoder().raw_decode


class Place(NamedTuple):
    """`text[start:end]`, in characters, and what leads there."""

    start: int
    end: int
    path: str


def locate(text: str, detail: str) -> Place | None:
    """Where in `text` the fault is that `detail` of a rejection describes; None when unknown.

    A detail begins with the place in the message (`engine.rpm: …`), or says at which byte the text
    stops being JSON.
    """
    if match := _BYTE.search(detail):
        start = min(len(text.encode()[: int(match[1])].decode(errors="ignore")), len(text))
        return Place(start, min(start + 1, len(text)), "")
    path, colon, _ = detail.partition(": ")
    if not colon or len(text) > _LONGEST:
        return None
    try:
        steps = [str(step) for step in parse_path(path).steps]
        span = next(_search(text, 0, steps, 0), None) if steps else None
    except (ValueError, IndexError, RecursionError):  # no path, or the text is not JSON
        return None
    return None if span is None else Place(*span, path)


def _search(text: str, at: int, steps: list[str], depth: int) -> Iterator[tuple[int, int]]:
    """The value at a path from here, or else from anything within."""
    inner = list(_members(text, _skip(text, at)))
    for name, start, end in inner:
        if name == steps[0]:
            if len(steps) == 1:
                yield start, end
            elif depth < _DEEPEST:
                yield from _walk(text, start, steps[1:])
    if depth < _DEEPEST:
        for _, start, _ in inner:
            yield from _search(text, start, steps, depth + 1)


def _walk(text: str, at: int, steps: list[str]) -> Iterator[tuple[int, int]]:
    """The value at a path from here."""
    for name, start, end in _members(text, _skip(text, at)):
        if name == steps[0]:
            if len(steps) == 1:
                yield start, end
            else:
                yield from _walk(text, start, steps[1:])


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Name (or number), begin and end of each member of an object or array; else nothing."""
    opening = text[at]
    if opening not in "{[":
        return
    at = _skip(text, at + 1)
    number = 0
    while text[at] not in "}]":
        name = str(number)
        if opening == "{":
            name, at = _decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        _, end = _decode(text, at)
        yield name, at, end
        number += 1
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at

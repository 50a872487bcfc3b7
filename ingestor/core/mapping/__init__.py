"""How readings become lines: the document that users write, checked.

TOML, one `[[routes]]` table for each kind of reading. `DEFAULT_MAPPING` is a small example; all
that can be said is in `ingestor/MAPPING.md`.
"""

import re
import tomllib

from msgspec import json
from pydantic import ValidationError

from ingestor.core.mapping.bounds import beyond_limits
from ingestor.core.mapping.default import DEFAULT_MAPPING
from ingestor.core.mapping.lines import LineIndex, Place
from ingestor.core.mapping.mistakes import MappingError, Mistake, between_tables, described
from ingestor.core.mapping.model import Limits, Mapping, MissingPolicy, Route
from ingestor.core.paths import look_up

__all__ = [
    "DEFAULT_MAPPING",
    "Limits",
    "Mapping",
    "MappingError",
    "MissingPolicy",
    "Mistake",
    "Route",
    "parse_mapping",
]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TOML_LINE = re.compile(r" \(at line (\d+), column \d+\)")


def parse_mapping(text: str) -> Mapping:
    """Read a mapping.

    Raises:
        MappingError: with every mistake, each with its line, key and remedy.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise MappingError([_not_toml(str(exc), text)]) from exc
    except RecursionError as exc:
        raise MappingError([Mistake(1, "", "it is nested too deeply for a mapping")]) from exc
    found = list(between_tables(document))
    mapping = None
    try:
        mapping = Mapping.model_validate(document)
    except ValidationError as exc:
        found += [described(each) for each in exc.errors(include_url=False)]
    else:
        found += beyond_limits(mapping)
    if mapping is None or found:
        raise MappingError(_located(found, document, text))
    return mapping


def _located(
    found: list[tuple[Place, str, str]], document: dict[str, object], text: str
) -> list[Mistake]:
    lines = LineIndex(text)
    mistakes = []
    for place, problem, remedy in found:
        while len(place) > 1 and not isinstance(look_up(document, place[:-1]), dict | list):
            place = place[:-1]  # noqa: PLW2901 - a text that stands for a table has no inside
        mistakes.append(Mistake(lines.line(place), _key(place), problem, remedy))
    # The order of the document, and what two checks found is said once.
    return list(dict.fromkeys(sorted(mistakes, key=lambda each: each.line)))


def _key(place: Place) -> str:
    key = ""
    for step in place:
        if isinstance(step, int):
            key += f"[{step}]"
        else:
            name = step if _BARE.fullmatch(step) else json.encode(step).decode()
            key += f".{name}" if key else name
    return key


def _not_toml(message: str, text: str) -> Mistake:
    match = _TOML_LINE.search(message)
    line = int(match[1]) if match else text.count("\n") + 1
    problem = _TOML_LINE.sub("", message).replace(" (at end of document)", "")
    return Mistake(line, "", f"it is not TOML: {problem[0].lower()}{problem[1:]}")

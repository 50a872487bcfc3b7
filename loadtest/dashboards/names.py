"""Which measurements, tags and fields a query asks for."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|/\^.*?\$/")
_ALIAS = re.compile(r'\bAS\s+"((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FROM = re.compile(r'\bFROM\s+((?:"[^"]+"\.)*"[^"]+")', re.IGNORECASE)
_SUBQUERY = re.compile(r"\bFROM\s+\(", re.IGNORECASE)
_KEY = re.compile(r"\bWITH KEY\b", re.IGNORECASE)


@dataclass(slots=True, frozen=True)
class Schema:
    """The names that a database knows, by measurement."""

    tags: Mapping[str, frozenset[str]]
    fields: Mapping[str, frozenset[str]]


def unknown_names(query: str, schema: Schema) -> list[str]:
    """What a query asks for and the database does not have, each in a few words.

    Names stand in double quotes. An outer query knows what its subquery names with AS, and tags.
    """
    unknown: list[str] = []
    columns: set[str] = set()
    measurements: set[str] = set()
    for text in _from_within(_TEXTS.sub("''", query)):
        sources = [_QUOTED.findall(source) for source in _FROM.findall(text)]
        measurements |= {path[-1] for path in sources}
        tags = _of(schema.tags, measurements)
        if sources:
            columns = tags if _KEY.search(text) else tags | _of(schema.fields, measurements)
        asked = set(_QUOTED.findall(_ALIAS.sub("", _FROM.sub("", text))))
        unknown += [f"tag or field {name}" for name in sorted(asked - columns)]
        columns = tags | set(_ALIAS.findall(text))
    unknown += [f"measurement {name}" for name in sorted(measurements - schema.fields.keys())]
    return unknown if measurements else ["no measurement"]


def _from_within(query: str) -> Iterator[str]:
    """The innermost query first; each without the query that it is taken from."""
    if (found := _SUBQUERY.search(query)) is None:
        yield query
        return
    start = found.end()
    depth, end = 1, start
    while depth:
        depth += {"(": 1, ")": -1}.get(query[end], 0)
        end += 1
    yield from _from_within(query[start : end - 1])
    yield query[: found.start()] + query[end:]


def _of(names: Mapping[str, frozenset[str]], measurements: Iterable[str]) -> set[str]:
    return {name for each in measurements for name in names.get(each, ())}

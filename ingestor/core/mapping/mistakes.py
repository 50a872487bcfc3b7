"""What is wrong with a mapping, said so that it can be put right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ingestor.core.mapping.model import (
    Limits,
    Mapping,
    MetadataRule,
    Payload,
    Route,
    TimeRule,
)
from ingestor.core.mapping.sources import FieldRule, Source, Table, Tag, TimeSource, Wildcard

_WORDS = {
    "missing": "this is missing",
    "extra_forbidden": "there is no such setting",
    "list_type": "this must be an array",
    "tuple_type": "this must be an array",
    "dict_type": "this must be a table",
    "model_type": "this must be a table",
    "string_type": "this must be a text",
    "bool_type": "this must be true or false",
    "too_short": "at least one is needed",
    "string_too_short": "this is empty",
}
"""Pydantic's kinds of mistake, in the words of TOML."""

_INNER: dict[type[Table], dict[str, type[Table]]] = {
    Mapping: {"routes": Route, "limits": Limits},
    Route: {
        "payload": Payload,
        "measurement": Source,
        "tags": Tag,
        "fields": FieldRule,
        "wildcards": Wildcard,
        "metadata": MetadataRule,
        "time": TimeRule,
    },
    MetadataRule: {"key": Source, "sort": Source},
    TimeRule: {"paths": TimeSource},
}

_EXAMPLES = {
    "routes": "[[routes]]",
    "measurement": 'measurement = "pressure"',
    "fields": '[routes.fields] with pressure = { path = "pressure" }',
    "key": 'key = "metakey"',
    "topics": 'topics = ["site/+/data"]',
    "paths": 'paths = ["sensordatetime", "received_at"]',
    "unpack": 'unpack = ["base64", "gzip"]',
    "columns": 'columns = ["time", "temperature"]',
    "include": 'include = ["temp*"]',
    "exclude": 'exclude = ["_id_"]',
    "metadata": '[routes.metadata] with key = "metakey"',
    "time": '[routes.time] with paths = ["sensordatetime"]',
    "payload": '[routes.payload] with format = "json"',
    "tags": '[routes.tags] with site = { path = "site" }',
    "path": 'path = "engine.rpm"',
    "template": 'template = "{site}-{device}"',
    "limits": "[limits] with readings = 1000",
}

_Place = tuple[str | int, ...]


@dataclass(slots=True, frozen=True)
class Mistake:
    """One thing to put right: line and key, what is wrong there, and what to do about it.

    `line` counts from 1; `key` is as in `routes[0].fields.rpm`. `remedy` is a sentence without
    a full stop, empty when the problem says it already.
    """

    line: int
    key: str
    problem: str
    remedy: str = ""

    @property
    def place(self) -> str:
        """Line and key, for a person."""
        return f"line {self.line}, {self.key}" if self.key else f"line {self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" + (f". {self.remedy}" if self.remedy else "")


class MappingError(Exception):
    """The mapping cannot be used; `details` are all its mistakes, `mistakes` the same as texts."""

    def __init__(self, details: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, details)))
        self.details = tuple(details)

    @property
    def mistakes(self) -> list[str]:
        """For each mistake one text: line, key, problem and remedy."""
        return [str(each) for each in self.details]


def described(error: Any) -> tuple[_Place, str, str]:
    """Place, problem and remedy of one of pydantic's errors."""
    place: _Place = tuple(step for step in error["loc"] if step != "[key]")
    return place, _problem(error), _remedy(error, place)


def _problem(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    message: str = error["msg"]
    return _WORDS.get(error["type"], message[0].lower() + message[1:])


def _remedy(error: Any, place: _Place) -> str:
    kind = error["type"]
    last = str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        known = list(_table_at(place[:-1]).model_fields)
        close = get_close_matches(last, known, n=1)
        return f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(known)}"
    if kind in {"literal_error", "enum"}:
        choices = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        close = get_close_matches(str(error["input"]), choices, n=1)
        if close:
            return f'Did you mean "{close[0]}"?'
        key = next(step for step in reversed(place) if isinstance(step, str))
        return f'For example: {key} = "{choices[0]}"'
    if kind != "value_error" and last in _EXAMPLES:
        return f"For example: {_EXAMPLES[last]}"
    return ""


def _table_at(place: _Place) -> type[Table]:
    table: type[Table] = Mapping
    for step in place:
        table = _INNER.get(table, {}).get(str(step), table)
    return table


def between_tables(document: dict[str, Any]) -> Iterator[tuple[_Place, str, str]]:
    """Mistakes that no table has by itself: place, problem, remedy. Takes any TOML document."""
    routes = document.get("routes")
    routes = routes if isinstance(routes, list) else []
    names: dict[str, int] = {}
    for n, route in enumerate(routes):
        if not isinstance(route, dict):
            continue
        yield from _within_route(("routes", n), route)
        name = route.get("name")
        if isinstance(name, str) and names.setdefault(name, n) != n:
            problem = f"routes[{names[name]}] has this name already"
            yield ("routes", n, "name"), problem, "Give each route a name of its own"
        if "topics" not in route and not route.get("where") and n + 1 < len(routes):
            yield (
                ("routes", n),
                "it takes every message, so that no route after it is ever reached",
                "Give it `topics` or `where`, or make it the last one",
            )


def _within_route(place: _Place, route: dict[str, Any]) -> Iterator[tuple[_Place, str, str]]:
    tags, fields, wildcards = (route.get(each) for each in ("tags", "fields", "wildcards"))
    if isinstance(tags, dict) and isinstance(fields, dict):
        for name in sorted(tags.keys() & fields.keys()):
            problem = "a tag and a field cannot have one name"
            yield (*place, "fields", name), problem, "Rename one of them"
    if not fields and not wildcards:
        problem = "this is missing" if fields is None else "at least one is needed"
        remedy = f"For example: {_EXAMPLES['fields']}, or [[routes.wildcards]]"
        yield (*place, "fields"), problem, remedy
    payload = route.get("payload")
    if isinstance(payload, dict):
        yield from _within_payload((*place, "payload"), payload)


def _within_payload(place: _Place, payload: dict[str, Any]) -> Iterator[tuple[_Place, str, str]]:
    if "readings" in payload:
        if payload.get("format") in ("senml", "senml-cbor", "shadow"):
            problem = f"{payload['format']} says itself where its readings are"
            yield (*place, "readings"), problem, "Leave `readings` out"
    elif payload.get("columns"):
        yield (
            (*place, "columns"),
            "`columns` are members of the object at `readings`, which is missing",
            'For example: readings = "$message", or readings = "data"',
        )

"""Mappings, and what they make of payloads."""

from typing import Annotated, Any

from msgspec import Meta

from ingestor.console.model.base import Answer, Request


class Mark(Answer):
    """A place in a text: `text[start:end]` in UTF-16 code units, and its path."""

    start: int
    end: int
    path: str


class Part(Answer):
    """One part of a line: what it is, its text there, the rule, and where the value came from."""

    what: str
    text: str
    rule: str
    source: str


class Refusal(Answer):
    """Why there are no lines."""

    stage: str
    reason: str
    detail: str
    hint: str | None


class MappingMistake(Answer):
    """One mistake in a mapping."""

    line: int
    key: str
    problem: str
    remedy: str


class Outcome(Answer):
    """What a mapping makes of a payload: lines, or why there are none.

    `parts[i]` explain `lines[i]`. `mark` is where in the payload the refusal points to.
    """

    ok: bool
    route: str | None
    lines: list[str]
    parts: list[list[Part]]
    refusal: Refusal | None
    held_back: str | None
    mark: Mark | None
    mistakes: list[MappingMistake]


class RouteInfo(Answer):
    """One route of the mapping, in words."""

    name: str
    topics: list[str]
    where: dict[str, list[str]]
    measurement: str
    tags: dict[str, str]
    fields: dict[str, str]
    metadata: str | None
    missing: str | None
    time: str


class MappingInfo(Answer):
    """The mapping in force: its text, a short name for that text, and its routes."""

    text: str
    version: str
    routes: list[RouteInfo]


class Try(Request):
    """A payload to try; without `mapping` the one in force is tried.

    With a `topic` the payload is what a device published there, without one it is the message in
    the queue. Records come from the table, or from `records` alone where that is given (by key;
    plain JSON values).
    """

    payload: Annotated[str, Meta(max_length=262_144)]
    topic: Annotated[str, Meta(max_length=256)] | None = None
    mapping: Annotated[str, Meta(max_length=131_072)] | None = None
    records: dict[str, dict[str, Any]] | None = None

"""IoT SQL, as far as the rules of the local stack use it; anything else is refused, not guessed."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

_SQL = re.compile(r"SELECT\s+(?P<columns>.+?)\s+FROM\s+'(?P<filter>[^']+)'", re.IGNORECASE)
_COLUMN = re.compile(r"(?P<what>.+?)\s+AS\s+(?P<name>\w+)", re.IGNORECASE)
_COMMA = re.compile(r",(?![^(]*\))")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

_Value = Callable[[str, bytes, int], Any]
_VALUES: dict[str, _Value] = {
    "topic()": lambda topic, payload, now_ms: topic,  # noqa: ARG005 - each takes the same
    "timestamp()": lambda topic, payload, now_ms: now_ms,  # noqa: ARG005 - as above
    "encode(*, 'base64')": lambda topic, payload, now_ms: base64.b64encode(payload).decode(),  # noqa: ARG005 - as above
}


class RuleError(Exception):
    """A statement is not understood, or a message is not what it asks for."""


class Rule:
    """One statement: a topic filter, and what is selected of a message.

    Raises RuleError for what this engine does not know.
    """

    def __init__(self, sql: str) -> None:
        match = _SQL.fullmatch(sql.strip())
        if match is None:
            raise RuleError(f"not understood: {sql}")
        self._all = False
        self._columns: list[tuple[str, _Value]] = []
        for column in map(str.strip, _COMMA.split(match["columns"])):
            named = _COLUMN.fullmatch(column)
            if column == "*":
                self._all = True
            elif named is not None and named["what"] in _VALUES:
                self._columns.append((named["name"], _VALUES[named["what"]]))
            else:
                raise RuleError(f"not understood: {column}")
        self._takes = re.compile(_pattern(match["filter"].split("/")))

    def takes(self, topic: str) -> bool:
        """Whether messages on this topic are for the rule."""
        return self._takes.fullmatch(topic) is not None

    def body(self, topic: str, payload: bytes, now_ms: int) -> str:
        """What goes on; RuleError when `*` is selected of a payload that is no JSON object.

        Unlike AWS it leaves 10.0 as 10.0.
        """
        selected: dict[str, Any] = {}
        if self._all:
            try:
                selected |= _object(payload)
            except (msgspec.DecodeError, UnicodeDecodeError) as exc:
                raise RuleError(f"the payload is no JSON object: {exc}") from exc
        for name, value in self._columns:
            selected[name] = value(topic, payload, now_ms)
        return _encode(selected).decode()


def error_body(topic: str, payload: bytes, why: str) -> str:
    """The message of an error action, by the names that AWS uses."""
    return json.dumps(
        {
            "topic": topic,
            "base64OriginalPayload": base64.b64encode(payload).decode(),
            "failures": [{"failedAction": "Sqs", "errorMessage": why}],
        }
    )


def _pattern(levels: Sequence[str]) -> str:
    """A regular expression for a topic filter."""
    known = {"+": "[^/]*", "#": ".*"}
    return "/".join(known.get(level, re.escape(level)) for level in levels).replace("/.*", "(/.*)?")

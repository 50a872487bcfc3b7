"""Where a value stands: in the reading, in the message around it, in its topic or its record.

- `pressure`: a member of the reading
- `engine.rpm`: a member of a member
- `samples[0].value`: an element of an array; [-1] is the last
- `"odd.name"`: quoted, because it holds one of . [ ] { } " $
- `$topic[2]`: the second level of the topic; $topic is all of it
- `$metadata.family`: an attribute of the metadata record
- `$message.site`: the message that the reading is a part of
- `$body.received_at`: the body of the queue's message: what the rule made of the message
- `$reading`: the reading itself
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ingestor.core.opened import Opened

Step = str | int
Getter = Callable[[Any, Opened], Any]
"""Finds a value for a reading and what it was opened from; None when there is none."""

_STEP = re.compile(
    r'(?P<name>[^.\[\]{}"$][^.\[\]{}"]*)|"(?P<quoted>[^"{}]+)"|\[(?P<index>-?\d{1,9})\]'
)
_ROOT = re.compile(r"\$([a-z]+)")


class Root(StrEnum):
    """Where a path begins."""

    READING = "reading"
    MESSAGE = "message"
    BODY = "body"
    TOPIC = "topic"
    METADATA = "metadata"


@dataclass(slots=True, frozen=True)
class Path:
    """A parsed path: names and indexes from the outside in, and how it was written."""

    root: Root
    steps: tuple[Step, ...]
    text: str

    def __str__(self) -> str:
        return self.text


def parse_path(text: str) -> Path:
    """Read a path; ValueError saying what is wrong with it."""
    root = Root.READING
    place = 0
    if match := _ROOT.match(text):
        place = match.end()
        if match[1] not in list(Root):
            roots = ", ".join(f"${each}" for each in Root)
            raise ValueError(f"there is no ${match[1]}; a path begins with a name or {roots}")
        root = Root(match[1])
    steps = _steps(text, place, needs_dot=place > 0)
    if root is Root.TOPIC and not _is_level(steps):
        raise ValueError("write $topic for all of the topic, $topic[1] for its first level")
    if root is Root.METADATA and not (len(steps) == 1 and isinstance(steps[0], str)):
        raise ValueError("write $metadata.name, with the name of an attribute")
    if not steps and not place:
        raise _not_a_path()
    return Path(root, steps, text)


def _steps(text: str, place: int, *, needs_dot: bool) -> tuple[Step, ...]:
    steps: list[Step] = []
    while place < len(text):
        if text[place] == "." and needs_dot:
            match = _STEP.match(text, place + 1)
            match = match if match and match["index"] is None else None
        else:
            match = _STEP.match(text, place)
            match = match if match and (not needs_dot or match["index"] is not None) else None
        if match is None:
            raise _not_a_path()
        index = match["index"]
        steps.append(match["name"] or match["quoted"] if index is None else int(index))
        place = match.end()
        needs_dot = True
    return tuple(steps)


def _is_level(steps: tuple[Step, ...]) -> bool:
    return not steps or (len(steps) == 1 and isinstance(steps[0], int) and steps[0] > 0)


def _not_a_path() -> ValueError:
    return ValueError(
        "a path is names joined by dots, for example `pressure`, `engine.rpm` or `samples[0].value`"
    )


def look_up(value: Any, steps: tuple[Step, ...]) -> Any:
    """The value at the end of the steps; None when there is nothing, or no way to go on."""
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        elif not isinstance(value, list) or not -len(value) <= step < len(value):
            return None
        else:
            value = value[step]
    return value


def single_name(path: Path | None) -> str | None:
    """The name when the path is nothing but a member of the reading: the usual kind."""
    if path is None or path.root is not Root.READING or len(path.steps) != 1:
        return None
    return path.steps[0] if isinstance(path.steps[0], str) else None


def getter(path: Path) -> Getter:
    """What finds the value of a path, made for this path: it runs for every reading."""
    steps = path.steps
    match path.root:
        case Root.READING:
            return _of_reading(steps, single_name(path))
        case Root.MESSAGE:
            return lambda _, opened: look_up(opened.message, steps)
        case Root.BODY:
            return lambda _, opened: look_up(opened.body, steps)
        case Root.METADATA:
            return _of_record(str(steps[0]))
        case _:  # Root.TOPIC
            return _of_topic(steps)


def _of_reading(steps: tuple[Step, ...], name: str | None) -> Getter:
    if name is not None:

        def member(reading: Any, _: Opened) -> Any:
            try:
                return reading.get(name)
            except AttributeError:  # an element of an array need not be an object
                return None

        return member
    return lambda reading, _: look_up(reading, steps)


def _of_record(name: str) -> Getter:
    def attribute(_: Any, opened: Opened) -> Any:
        return None if opened.record is None else opened.record.attributes.get(name)

    return attribute


def _of_topic(steps: tuple[Step, ...]) -> Getter:
    if not steps:
        return lambda _, opened: opened.topic if isinstance(opened.topic, str) else None
    place = int(steps[0]) - 1

    def level(_: Any, opened: Opened) -> Any:
        if not isinstance(opened.topic, str):
            return None
        levels = opened.topic.split("/", place + 1)
        return levels[place] if place < len(levels) else None

    return level

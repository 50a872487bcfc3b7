"""Measurement and tags of a line: escaping, and the memory of what was escaped before."""

import re
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_NAME = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def escape_measurement(text: str) -> str:
    """A measurement as the line protocol writes it."""
    return text.translate(_MEASUREMENT)


def escape_name(text: str) -> str:
    """A tag name, tag value or field name as the line protocol writes it.

    A backslash stays as it is: before anything but comma, space and equals sign it means itself.
    """
    return text.translate(_NAME)


def unusable_tag_value(value: str) -> str | None:
    """Why the line protocol cannot express this tag value, if so."""
    if match := _CONTROL.search(value):
        return f"it holds the control character U+{ord(match[0]):04X}"
    if value.endswith("\\"):
        return "it ends with a backslash, which the line protocol cannot express"
    return None


class PrefixCache(Generic[Value]):
    """A bounded memory in two generations: what is used stays, what is not goes.

    Half as many entries as `capacity` make a generation. When the young one is full it becomes
    the old one, and what was in the old one and was not asked for meanwhile is forgotten. `young`
    is always the same dictionary: who is in a hurry may look there first.
    """

    def __init__(self, capacity: int) -> None:
        self._most = max(1, capacity // 2)
        self.young: dict[Any, Value] = {}
        self._old: dict[Any, Value] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: Any) -> Value | None:
        """The prefix of a series, None when it is not remembered."""
        prefix = self.young.get(key)
        if prefix is None:
            prefix = self._old.pop(key, None)
            if prefix is not None:
                self.put(key, prefix)
        return prefix

    def put(self, key: Any, prefix: Value) -> None:
        """Remember the prefix of a series."""
        if len(self.young) >= self._most:
            self._old = self.young.copy()
            self.young.clear()
        self.young[key] = prefix

"""Where in a reading a value stands."""

from collections.abc import Mapping
from typing import Any

Path = tuple[str, ...]
"""Names from the outside in: `("engine", "rpm")` for `{"engine": {"rpm": 900}}`."""


def parse_path(text: str) -> Path:
    """A path written with dots, `engine.rpm`; ValueError when a name is empty."""
    path = tuple(text.split("."))
    if not all(path):
        raise ValueError("a path is names joined by dots, for example `pressure` or `engine.rpm`")
    return path


def look_up(reading: Mapping[str, Any], path: Path) -> Any:
    """The value at a path; None when there is nothing, or on the way something is no object."""
    value: Any = reading
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def shown(path: Path) -> str:
    """The path as it is written in a mapping."""
    return ".".join(path)

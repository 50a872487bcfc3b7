"""MQTT topic filters."""

import re
from collections.abc import Callable


def filter_problem(text: str) -> str | None:
    """Why this is no topic filter, if so."""
    levels = text.split("/")
    if not text or "\0" in text:
        return "a topic filter is not empty and holds no NUL"
    if "#" in levels[:-1]:
        return "`#` stands at the end of a topic filter only"
    if any(len(level) > 1 and ("#" in level or "+" in level) for level in levels):
        return "`+` and `#` stand for whole levels, as in `site/+/data` or `site/#`"
    return None


def topic_matcher(text: str) -> Callable[[str], object]:
    """A test whether a topic matches the filter; truth means that it does.

    `+` is one level, `#` all further ones, the level before it included. As MQTT demands,
    a wildcard in the first place matches no topic that begins with `$`.
    """
    levels = text.split("/")
    many = levels[-1] == "#"
    named = levels[:-1] if many else levels
    pattern = "/".join("[^/]*" if level == "+" else re.escape(level) for level in named)
    if many:
        pattern = f"{pattern}(?:/.*)?" if named else ".*"
    guard = r"(?!\$)" if levels[0] in {"+", "#"} else ""
    return re.compile(guard + pattern, re.DOTALL).fullmatch

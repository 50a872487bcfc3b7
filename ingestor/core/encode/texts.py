"""Sources of a mapping, compiled to functions that give texts."""

from collections.abc import Callable
from typing import Any

from ingestor.core.mapping.sources import Source, Tag
from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.opened import Opened
from ingestor.core.paths import Getter, Path, getter
from ingestor.core.scalars import scalar_text

Text = Callable[[Any, Opened], str]
"""The text for a reading; empty when a part of it is missing or empty."""


def rejected(reason: Reason, place: object, what: object) -> Rejected:
    """A rejection of the mapping, naming the place."""
    return Rejected(Stage.MAP, reason, f"{place}: {what}")


def text_of(source: Source, reason: Reason) -> Text:
    """The text of a source; what can be no text is rejected for that reason."""
    parts = source.parts
    if len(parts) == 1 and isinstance(parts[0], str):
        constant = parts[0]
        return lambda _reading, _opened: constant
    pieces: list[tuple[str, Getter | None]] = [
        (str(part), getter(part) if isinstance(part, Path) else None) for part in parts
    ]

    def text(reading: Any, opened: Opened) -> str:
        joined = ""
        for place, get in pieces:
            if get is None:
                joined += place
                continue
            value = get(reading, opened)
            if value.__class__ is not str:
                if value is None:
                    return ""
                try:
                    value = scalar_text(value)
                except ValueError as exc:
                    raise rejected(reason, place, exc) from exc
            if not value:
                return ""
            joined += value
        return joined

    return text


def tag_text(name: str, rule: Tag) -> Text:
    """The value of a tag, with what the rule says of a missing one."""
    plain = text_of(rule, Reason.BAD_TAG)
    if rule.constant is not None:
        return plain
    pieces = [(path, text_of(Source(path=path), Reason.BAD_TAG)) for path in rule.paths]

    def complete(reading: Any, opened: Opened) -> str:
        value = plain(reading, opened)
        if value:
            return value
        if rule.required:
            place = next(path for path, piece in pieces if not piece(reading, opened))
            what = f"it is missing or empty, and the tag {name} needs it"
            raise rejected(Reason.MISSING_TAG, place, what)
        return rule.default or ""

    return complete

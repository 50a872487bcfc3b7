"""What a field expects, in words: for the option table and for the remedy of a mistake."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ingestor.config.kinds import Expected


def expectation(info: FieldInfo) -> str:
    """Completes the sentence "set it to …"."""
    kind, facts = _kind(info)
    for fact in facts:
        if isinstance(fact, Expected):
            return fact.text
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if kind in {int, float}:
        least = next(fact.ge for fact in facts if isinstance(fact, Ge))
        most = next(fact.le for fact in facts if isinstance(fact, Le))
        number = "a whole number" if kind is int else "a number"
        return f"{number} from {least} to {most}"
    if kind is Path:
        return "the path of a readable text file"
    most = next(
        (f" of at most {fact.max_length} characters" for fact in facts if isinstance(fact, MaxLen)),
        "",
    )
    return f"a text{most}"


def is_secret(info: FieldInfo) -> bool:
    """True when the value must not be shown."""
    return _kind(info)[0] is SecretStr


def _kind(info: FieldInfo) -> tuple[Any, list[Any]]:
    """The type of a value that is set, and what is known about it besides."""
    kind: Any = info.annotation
    facts: list[Any] = list(info.metadata)
    members = [member for member in get_args(kind) if member is not type(None)]
    if type(None) in get_args(kind):
        (kind,) = members
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        facts += more
    return kind, facts

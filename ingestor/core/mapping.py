"""How a reading becomes a line: the document that users write, checked.

TOML, one table for each kind of reading. `DEFAULT_MAPPING` is an example of all that can be said.
"""

import re
import tomllib
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ingestor.core.paths import Path, parse_path

DEFAULT_MAPPING = """\
[[routes]]
measurement = "pressure"

[routes.tags]
sensorID = { template = "{deviceid}{clientid}", required = true }

[routes.fields]
pressureValue = { path = "pressure", type = "float" }
viscosity = { path = "viscosity", type = "float" }

[routes.metadata]
key = "metakey"
missing = "write"

[routes.time]
paths = ["sensordatetime", "received_at"]
spread = true
envelope = ["topic", "received_at"]
past_days = 3653
future_days = 1
"""
"""The reading of the IoT Device Simulator's pressure device, as the rule forwards it."""

RESERVED = frozenset({"time", "_field", "_measurement", "_start", "_stop", "_time", "_value"})
"""Names that InfluxDB keeps for itself: it drops or refuses tags and fields that bear them."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WORDS = {
    "missing": "this is missing",
    "extra_forbidden": "there is no such setting",
    "list_type": "this must be an array",
    "tuple_type": "this must be an array",
    "model_type": "this must be a table",
    "too_long": "this version takes one route",
    "too_short": "at least one is needed",
}
"""Pydantic's kinds of mistake, in the words of TOML."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class MappingError(Exception):
    """The mapping cannot be used; `mistakes` names each place and what is wrong there."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class MissingPolicy(StrEnum):
    """What to do with a reading whose metadata record does not exist."""

    WRITE = "write"
    """Store it without the record's tags."""

    HOLD = "hold"
    """Leave it in the queue for some minutes, then look again."""

    REJECT = "reject"
    """Send it to the dead-letter queue."""


def unusable_name(name: str) -> str | None:
    """Why InfluxDB could not take this as the name of a measurement, tag or field, if so."""
    if not name:
        return "it is empty"
    if name in RESERVED:
        return "InfluxDB keeps this name for itself"
    if _CONTROL.search(name):
        return "it holds a control character"
    if name.endswith("\\"):
        return "it ends with a backslash, which the line protocol cannot express"
    return None


def _checked_name(name: str) -> str:
    if problem := unusable_name(name):
        raise ValueError(problem)
    return name


def _checked_measurement(name: str) -> str:
    if name.startswith("#"):
        raise ValueError("it begins with #, which makes the line a comment")
    return _checked_name(name)


def _to_path(text: object) -> object:
    return parse_path(text) if isinstance(text, str) else text


Name = Annotated[str, AfterValidator(_checked_name)]
PathText = Annotated[Path, BeforeValidator(_to_path)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Tag(_Table):
    """A tag: from one `path`, from a `template` of several, or a `constant`.

    A tag whose value is absent or empty, or whose template has such a part, is left out; when it
    is `required` the message is rejected instead.
    """

    path: PathText | None = None
    template: str | None = None
    constant: str | None = None
    required: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [each for each in (self.path, self.template, self.constant) if each is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of `path`, `template` and `constant`")
        if self.template is not None:
            self.parts  # noqa: B018 - raises what is wrong with it
        return self

    @property
    def parts(self) -> tuple[Path | str, ...]:
        """What the value is made of: paths into the reading, and texts."""
        if self.path is not None:
            return (self.path,)
        if self.constant is not None:
            return (self.constant,)
        # Texts at even places, what stood between braces at odd ones.
        pieces = _PLACEHOLDER.split(self.template or "")
        if len(pieces) == 1 or any("{" in text or "}" in text for text in pieces[::2]):
            raise ValueError("a template holds paths in braces, for example `{site}-{device}`")
        parts = [parse_path(each) if n % 2 else each for n, each in enumerate(pieces)]
        return tuple(part for part in parts if part)


class FieldRule(_Table):
    """A field: from a `path`, always of one `type`. Left out when absent, null or empty."""

    path: PathText
    type: Literal["float", "integer", "boolean", "string"] = "float"


class MetadataRule(_Table):
    """Which record belongs to a reading (`key` is a path), and what to do without one."""

    key: PathText
    missing: Annotated[MissingPolicy, Field(strict=False)] = MissingPolicy.WRITE


class TimeRule(_Table):
    """When a reading was taken: the first of `paths` that is there, else the queue's own stamp.

    Times that have room for whole seconds only are spread within their second by the content of
    the reading, except for the names in `envelope`: those the rule added, and they may differ
    between two deliveries. Times outside the window around the queue's stamp are rejected.
    """

    paths: tuple[PathText, ...] = ()
    spread: bool = True
    envelope: tuple[str, ...] = ()
    past_days: Annotated[float, Field(ge=0, le=40_000, strict=False)] = 3653
    future_days: Annotated[float, Field(ge=0, le=40_000, strict=False)] = 1

    @model_validator(mode="before")
    @classmethod
    def _arrays(cls, table: Any) -> Any:
        if not isinstance(table, dict):
            return table
        return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


class Route(_Table):
    """How one kind of reading becomes a line."""

    measurement: Annotated[str, AfterValidator(_checked_measurement)]
    tags: dict[Name, Tag] = {}
    fields: Annotated[dict[Name, FieldRule], Field(min_length=1)]
    metadata: MetadataRule | None = None
    time: TimeRule = TimeRule()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if both := sorted(self.tags.keys() & self.fields.keys()):
            raise ValueError(f"{', '.join(both)}: a tag and a field cannot have one name")
        return self


class Mapping(_Table):
    """The whole document."""

    routes: Annotated[list[Route], Field(min_length=1, max_length=1)]


def parse_mapping(text: str) -> Mapping:
    """Read a mapping.

    Raises:
        MappingError: with every mistake, each naming its place as in `routes[0].fields.rpm`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise MappingError([f"it is not TOML: {exc}"]) from exc
    except RecursionError as exc:
        raise MappingError(["it is not a mapping: it is nested too deeply"]) from exc
    try:
        return Mapping.model_validate(document)
    except ValidationError as exc:
        raise MappingError([_mistake(each) for each in exc.errors(include_url=False)]) from exc


def _mistake(error: Any) -> str:
    place = ""
    for step in error["loc"]:
        if isinstance(step, int):
            place += f"[{step}]"
        elif step != "[key]":
            place += f".{step}" if place else step
    return f"{place or 'the document'}: {_words(error)}"


def _words(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    message: str = error["msg"]
    return _WORDS.get(error["type"], message[0].lower() + message[1:])

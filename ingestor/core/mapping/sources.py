"""The tables of a mapping that say where a value comes from."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    model_validator,
)

from ingestor.core.mapping.names import unusable_field, unusable_name
from ingestor.core.paths import Path, Root, parse_path
from ingestor.core.prefix import unusable_tag_value
from ingestor.core.scalars import boolean_text, float_text, integer_text, string_text
from ingestor.core.zones import parse_zone

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Table(BaseModel):
    """A TOML table: unknown keys are mistakes, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _to_path(text: object) -> Path:
    if isinstance(text, Path):
        return text
    if not isinstance(text, str):
        raise ValueError("this must be a text: a path such as `engine.rpm`")  # noqa: TRY004 - pydantic reports ValueError
    return parse_path(text)


def _checked_name(name: str) -> str:
    if problem := unusable_name(name):
        raise ValueError(problem)
    return name


def _checked_zone(text: str) -> str:
    parse_zone(text)
    return text


def _checked_scalar(value: object) -> object:
    if not isinstance(value, str | bool | int | float):
        raise ValueError("this must be a text, a number, true or false")  # noqa: TRY004 - as above
    return value


def _to_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _checked_field(name: str) -> str:
    if problem := unusable_field(name):
        raise ValueError(problem)
    return name


FieldName = Annotated[str, AfterValidator(_checked_field)]
Name = Annotated[str, AfterValidator(_checked_name)]
PathText = Annotated[Path, PlainValidator(_to_path)]
Zone = Annotated[str, AfterValidator(_checked_zone)]
Unit = Literal["auto", "s", "ms", "us", "ns"]
Array = BeforeValidator(_to_tuple)
Pattern = Annotated[str, StringConstraints(min_length=1)]
Patterns = Annotated[tuple[Pattern, ...], Array]
FieldType = Literal["float", "integer", "boolean", "string"]
Scalar = Annotated[str | bool | int | float, BeforeValidator(_checked_scalar)]


def template_parts(template: str) -> tuple[Path | str, ...]:
    """A template's paths and texts in order; ValueError saying what is wrong with it."""
    # Texts at even places, what stood between braces at odd ones.
    pieces = _PLACEHOLDER.split(template)
    if len(pieces) == 1 or any("{" in text or "}" in text for text in pieces[::2]):
        raise ValueError("a template holds paths in braces, for example `{site}-{device}`")
    parts = [parse_path(each) if n % 2 else each for n, each in enumerate(pieces)]
    return tuple(part for part in parts if part)


class Source(Table):
    """One value: from one `path`, from a `template` of several, or a `constant`."""

    path: PathText | None = None
    template: str | None = None
    constant: Scalar | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [each for each in (self.path, self.template, self.constant) if each is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of `path`, `template` and `constant`")
        if self.template is not None:
            template_parts(self.template)
        return self

    @property
    def parts(self) -> tuple[Path | str, ...]:
        """What a text is made of: paths and texts. A constant that is no text is none here."""
        if self.path is not None:
            return (self.path,)
        if self.template is not None:
            return template_parts(self.template)
        return (str(self.constant),)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths among the parts."""
        return tuple(part for part in self.parts if isinstance(part, Path))

    @property
    def places(self) -> str:
        """Where the value stands, for a person."""
        return ", ".join(map(str, self.paths)) or f"constant {self.constant!r}"


class TextSource(Source):
    """A source whose constant is a text."""

    constant: str | None = None  # type: ignore[mutable-override] # the tables are frozen


def _is_path(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


def _is_constant(value: object) -> object:
    return {"constant": value} if isinstance(value, str) else value


def without(*roots: Root) -> AfterValidator:
    """Refuse sources that refer to something which is not known, or not allowed, there."""

    def checked(source: Source) -> Source:
        for path in source.paths:
            if path.root in roots:
                raise ValueError(_WHY_NOT[path.root])
        return source

    return AfterValidator(checked)


_WHY_NOT = {
    Root.METADATA: (
        "$metadata cannot be used here: a reading's identity comes from its message alone, so "
        "that a redelivery overwrites itself; name a part of the message"
    ),
}

PathOr = BeforeValidator(_is_path)
"""Before a `Source`: a text alone is a path."""
ConstantOr = BeforeValidator(_is_constant)
"""Before a `Source`: a text alone is a constant."""


class Tag(TextSource):
    """A tag. One whose value is absent or empty, or whose template has such a part, is left out.

    When there is a `default`, that is taken instead; when it is `required`, the message is
    rejected.
    """

    default: Annotated[str, StringConstraints(min_length=1)] | None = None
    required: bool = False

    @model_validator(mode="after")
    def _constants_fit(self) -> Self:
        for text in (self.constant, self.default):
            if text is not None and (problem := unusable_tag_value(text)):
                raise ValueError(f"{problem}; leave it out")
            if text == "":
                raise ValueError("it is empty, and an empty tag is left out")
        return self


_TO_TEXT = {
    "float": float_text,
    "integer": integer_text,
    "boolean": boolean_text,
    "string": string_text,
}


class FieldRule(Source):
    """A field, always of one `type`. Left out when absent, null or empty.

    A number becomes `value * scale + offset`, rounded to 15 significant digits (an integer: to
    the nearest whole number). `default` and `required` are as for tags.
    """

    type: FieldType = "float"
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)
    default: Scalar | None = None
    required: bool = False

    @model_validator(mode="after")
    def _numbers_are_scaled(self) -> Self:
        if self.is_scaled and self.type not in {"float", "integer"}:
            raise ValueError(f"`scale` and `offset` are for numbers, and its type is {self.type}")
        return self

    @model_validator(mode="after")
    def _constants_fit(self) -> Self:
        for key, value in (("constant", self.constant), ("default", self.default)):
            if value is None:
                continue
            try:
                _TO_TEXT[self.type](value)
            except ValueError as exc:
                raise ValueError(f"`{key}` does not fit the type {self.type}: {exc}") from exc
            if value == "":
                raise ValueError(f"`{key}` is empty, which is as if it were not there")
        return self

    @property
    def is_scaled(self) -> bool:
        """Whether the value is changed at all."""
        return (self.scale, self.offset) != (1.0, 0.0)


class Wildcard(Table):
    """Fields for all members of an object whose values are of one kind.

    The object is the one at `path`, else the reading. With `name` and `value` there is one
    field: these paths say what it is called and what it holds. Members that already have a
    rule, and those of another kind than `type`, are left alone. `include` and `exclude` hold
    names, in which `*` stands for any text; `prefix` goes before the names; `flatten` is the text
    that joins the names of nested objects, which are otherwise left alone.
    """

    path: PathText | None = None
    name: PathText | None = None
    value: PathText | None = None
    type: FieldType = "float"
    include: Patterns = ("*",)
    exclude: Patterns = ()
    prefix: str = ""
    flatten: str | None = None

    @model_validator(mode="after")
    def _object_or_pair(self) -> Self:
        if (self.name is None) != (self.value is None):
            raise ValueError("`name` and `value` belong together; give both or neither")
        if self.name is not None and (self.path is not None or self.flatten is not None):
            raise ValueError("`path` and `flatten` are for objects; leave out these or `name`")
        return self


class TimeSource(TextSource):
    """One place where a time may stand; `unit` and `zone` as in the table around it."""

    unit: Unit | None = None
    zone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_constant(cls, table: Any) -> Any:
        if isinstance(table, dict) and "constant" in table:
            raise ValueError("a constant time would make every reading overwrite the one before")
        return table

"""The tables of a mapping, from the whole document down to a route's parts."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from ingestor.core.mapping.names import unusable_measurement
from ingestor.core.mapping.sources import (
    Array,
    ConstantOr,
    FieldName,
    FieldRule,
    Name,
    PathOr,
    PathText,
    Patterns,
    Scalar,
    Source,
    Table,
    Tag,
    TextSource,
    TimeSource,
    Unit,
    Wildcard,
    Zone,
    without,
)
from ingestor.core.paths import Root, parse_path
from ingestor.core.topics import filter_problem


class MissingPolicy(StrEnum):
    """What to do with a reading whose metadata record does not exist."""

    WRITE = "write"
    """Store it without the record's tags."""

    HOLD = "hold"
    """Leave it in the queue for some minutes, then look again."""

    REJECT = "reject"
    """Send it to the dead-letter queue."""


def _checked_filter(text: str) -> str:
    if problem := filter_problem(text):
        raise ValueError(problem)
    return text


def _checked_path(text: str) -> str:
    if parse_path(text).root is Root.METADATA:
        raise ValueError("$metadata cannot be used here: the route says which record there is")
    return text


def _to_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _checked_measurement(source: Source) -> Source:
    if source.constant is not None and (problem := unusable_measurement(str(source.constant))):
        raise ValueError(problem)
    return source


Wanted = Annotated[list[Scalar], BeforeValidator(_to_list), Field(min_length=1)]
TopicFilter = Annotated[str, AfterValidator(_checked_filter)]
Unpacking = Literal["base64", "hex", "gzip", "zlib", "deflate"]
Format = Literal["json", "ndjson", "cbor", "messagepack", "senml", "senml-cbor", "shadow"]
BINARY = frozenset({"cbor", "messagepack", "senml-cbor"})
"""Formats that are no text."""


class Payload(Table):
    """How the device's payload is found in the queue's message, and read.

    `path` is where it stands in the rule's JSON; without it the message is the payload. `unpack`
    names what was done to it, the outermost first. `readings` is where the readings stand: an
    array of them, or with `columns` an object of arrays of equal length, one for each column;
    without it the payload is one reading. `group` joins SenML records of one device and time.
    """

    path: PathText | None = None
    unpack: Annotated[tuple[Unpacking, ...], Array] = ()
    format: Format = "json"
    readings: PathText | None = None
    columns: Patterns = ()
    group: bool = True

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.format in BINARY and not {"base64", "hex"} & set(self.unpack[:1]):
            raise ValueError(
                f'{self.format} is binary and messages are text: begin `unpack` with "base64"'
            )
        if {"gzip", "zlib", "deflate"} & set(self.unpack[:1]):
            raise ValueError('what is packed is binary: begin `unpack` with "base64"')
        for path, roots in ((self.path, {Root.BODY}), (self.readings, {Root.MESSAGE})):
            if path is not None and path.root not in {Root.READING, *roots}:
                raise ValueError(f"${path.root} cannot be used here: give a name in the payload")
        return self


class MetadataRule(Table):
    """Which record belongs to a reading, what to do without one, and which attributes to take.

    `key` is the partition key of the table, `sort` its sort key if it has one. `include` and
    `exclude` choose the attributes that become tags; `*` in them stands for any text.
    """

    key: Annotated[TextSource, PathOr, without(Root.METADATA)]
    sort: Annotated[TextSource, PathOr, without(Root.METADATA)] | None = None
    missing: Annotated[MissingPolicy, Field(strict=False)] = MissingPolicy.WRITE
    include: Patterns = ("*",)
    exclude: Patterns = ()


Days = Annotated[float, Field(ge=0, le=40_000, strict=False)]


class TimeRule(Table):
    """When a reading was taken: the first of `paths` that is there, else the queue's own stamp.

    A time without a zone is in `zone`. `unit` is that of numbers; "auto" tells it by their size.
    Times that have room for whole seconds only are spread within their second by the content of
    the reading, except for the names in `envelope`: those the rule added, and they may differ
    between two deliveries. Times outside the window around the queue's stamp are rejected, and
    so are readings without any time when it is `required`.
    """

    paths: Annotated[tuple[Annotated[TimeSource, PathOr, without(Root.METADATA)], ...], Array] = ()
    unit: Unit = "auto"
    zone: Zone = "UTC"
    spread: bool = True
    envelope: Annotated[tuple[str, ...], Array] = ()
    past_days: Days = 3653
    future_days: Days = 1
    required: bool = False


class Route(Table):
    """How one kind of reading becomes a line.

    It takes the messages whose topic matches one of `topics`, and in whose body each path of
    `where` leads to the value, or one of the values, given there. Without both it takes all that
    the routes before it left.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    topics: Annotated[tuple[TopicFilter, ...], Array, Field(min_length=1)] | None = None
    where: dict[Annotated[str, AfterValidator(_checked_path)], Wanted] = Field(default={})
    payload: Payload = Payload()
    measurement: Annotated[TextSource, ConstantOr, AfterValidator(_checked_measurement)]
    tags: dict[Name, Tag] = Field(default={})
    fields: dict[FieldName, FieldRule] = Field(default={})
    wildcards: list[Wildcard] = Field(default=[])
    metadata: MetadataRule | None = None
    time: TimeRule = TimeRule()

    @property
    def takes_all(self) -> bool:
        """Whether there is no message that it would leave to the next route."""
        return self.topics is None and not self.where


Count = Annotated[int, Field(ge=1)]


class Limits(Table):
    """What a message may come to. The defaults are generous: they stop accidents, not devices.

    `unpacked_bytes` is the size of a payload after each step of unpacking, `depth` how deep its
    arrays and objects may be nested, `readings` how many there may be in one message.
    """

    readings: Count = 10_000
    depth: Annotated[int, Field(ge=1, le=200)] = 32
    unpacked_bytes: Annotated[int, Field(ge=1, le=2**28)] = 4 * 2**20
    tags: Count = 100
    fields: Count = 500
    name_bytes: Annotated[int, Field(ge=1, le=65_535)] = 256
    tag_bytes: Annotated[int, Field(ge=1, le=65_535)] = 4096
    text_bytes: Annotated[int, Field(ge=1, le=65_535)] = 65_535


class Mapping(Table):
    """The whole document.

    `topic` and `received_at` are the members of a message's JSON that the rule puts the topic and
    its own time (epoch milliseconds) into; relative times of SenML count from the latter. With
    `error_actions` the envelopes of IoT error actions are opened, and the payload in them takes
    the way that it failed to take.
    """

    topic: Annotated[str, StringConstraints(min_length=1)] = "topic"
    received_at: Annotated[str, StringConstraints(min_length=1)] = "received_at"
    error_actions: bool = False
    limits: Limits = Limits()
    routes: Annotated[list[Route], Field(min_length=1)]

"""The seams of the console: what people look at and change besides the flow of messages.

Every implementation, the fakes in `adapters.memory` included, passes the suites in
`tests/contracts`. All calls may run concurrently, end within a deadline of their own, and raise
`Unavailable` when they got no usable answer.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

Item = dict[str, dict[str, Any]]
"""A record in DynamoDB's typed form, its key included: `{"family": {"S": "sensors"}}`."""
Tags = Mapping[str, str]
Value = float | int | bool | str
Function = Literal["mean", "min", "max", "last"]
"""What is made of the values of one step."""


@dataclass(slots=True, frozen=True)
class Point:
    """One stored reading; `tags` are those that were asked for."""

    measurement: str
    tags: dict[str, str]
    time_ns: int
    fields: dict[str, Value]


@dataclass(slots=True, frozen=True)
class Span:
    """From `begin_ns` on, `steps` steps of `step_ns` each. The begin is a multiple of the step."""

    begin_ns: int
    step_ns: int
    steps: int

    @property
    def end_ns(self) -> int:
        """Where the last step ends; it does not belong to it."""
        return self.begin_ns + self.step_ns * self.steps


@dataclass(slots=True, frozen=True)
class Window:
    """Numeric fields of one measurement and group of tags; each list has a value a step."""

    measurement: str
    tags: dict[str, str]
    values: dict[tuple[Function, str], list[float | None]]


class SeriesReader(Protocol):
    """Reads what the sink has stored. Names and values may be any text: they are never code.

    `where` selects series that have all tags of any one of its entries; empty, it selects all.
    `measurement` None means all but those in which the service keeps its own figures.
    """

    async def last(
        self,
        *,
        where: Sequence[Tags],
        group: Sequence[str],
        since_ns: int,
        measurement: str | None = None,
    ) -> list[Point]:
        """The last point of each measurement and group of tags that is not older than that."""
        ...

    async def windows(
        self,
        span: Span,
        *,
        functions: Sequence[Function],
        where: Sequence[Tags] = (),
        group: Sequence[str] = (),
        measurement: str | None = None,
    ) -> list[Window]:
        """Numeric fields in even steps; None where a step has no value."""
        ...

    async def points(
        self, *, measurement: str, where: Sequence[Tags], begin_ns: int, end_ns: int, limit: int
    ) -> list[Point]:
        """Points in order of time, the first so many; without tags."""
        ...

    async def seen(
        self, group: Sequence[str], *, since_ns: int, limit: int
    ) -> dict[tuple[str, ...], int]:
        """The values of these tags that points since then have, with the time of the last one.

        At most so many. A series without one of the tags has the empty text there.
        """
        ...

    async def fields(self) -> dict[str, dict[str, str]]:
        """Every field of every measurement, with its type in InfluxDB's word."""
        ...


class Merged(StrEnum):
    """What a merge did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class RecordTable(Protocol):
    """The metadata records, for those who keep them. Keys are those of `core.metadata`.

    Raises `NotStorable` when the table will never take an item as it is.
    """

    async def get(self, key: str) -> Item | None:
        """The record as it is now, own writes included."""
        ...

    async def create(self, item: Item) -> bool:
        """Add a record; False when there is one with this key, which is left as it is."""
        ...

    async def replace(self, old: Item, new: Item) -> bool:
        """Make `old` into `new`, which has the same key; False when it is not `old` any more.

        Nothing that anybody else has written meanwhile is lost.
        """
        ...

    async def merge(self, item: Item) -> Merged:
        """Set these attributes, leave all others; adds the record where there is none."""
        ...

    def scan(self) -> AsyncGenerator[list[Item], None]:
        """All records, a page at a time, in no order. Reads, and costs, the whole table."""
        ...


class NotStorable(Exception):
    """The table does not take this item, now or ever; says why, without its content."""


@dataclass(slots=True, frozen=True)
class StoredLetter:
    """One message of a queue of dead letters. `sent_at_ms` is when it got there, in ms."""

    message_id: str
    receipt_handle: str = field(repr=False)
    body: str = field(repr=False)
    sent_at_ms: int
    attributes: Mapping[str, str]


class LetterBox(Protocol):
    """The dead-letter queue, as operators look into it.

    Batch calls take up to `BATCH` letters, and return the ids of those for which they succeeded.
    Repeating any of them is safe.
    """

    async def take(self) -> list[StoredLetter]:
        """Some letters, which nobody else sees for a while; empty when there seem to be none."""
        ...

    async def put_back(self, letters: Sequence[StoredLetter]) -> set[str]:
        """Let others see them again."""
        ...

    async def remove(self, letters: Sequence[StoredLetter]) -> set[str]:
        """Delete them for good."""
        ...

    async def send(self, letters: Sequence[StoredLetter], bodies: Sequence[str]) -> set[str]:
        """Put the restored bodies of these letters into the queue that the service receives."""
        ...

    async def waiting(self) -> int:
        """How many letters there are. Approximate, and some seconds old."""
        ...


class NotSignedIn(Exception):
    """The token cannot be used; says why, without any of it."""


class TokenVerifier(Protocol):
    """Knows which access tokens are genuine and meant for us."""

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token whose signature, issuer, client, use and expiry are right.

        Raises `NotSignedIn` for every other one.
        """
        ...

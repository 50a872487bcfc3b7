"""The seams: what the pipeline needs from the world, and what it may assume of it.

Every implementation, the fakes in `adapters.memory` included, passes the suites in
`tests/contracts`.
"""

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingestor.core.message import Message, Receipt, Rejected
from ingestor.core.metadata import Known, Metadata


class Unavailable(Exception):
    """Not now: the dependency is down, slow, throttling or refuses our credentials.

    Nothing is known about what was asked; asking again later is safe. `reason` is one
    sentence for a person, without secrets or payloads. `retry_after_seconds` is what the
    dependency asked for, None when it did not say.
    """

    def __init__(self, reason: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Refused(Exception):
    """The sink read the body and will not take it, now or ever.

    Says nothing certain about any one line: some, all or none of the others may have been
    stored. Writing a part again is safe. `too_large` is True when the size was the reason.
    """

    def __init__(self, detail: str, *, too_large: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.too_large = too_large


@dataclass(slots=True, frozen=True)
class DeadLetter:
    """A message that is never to come back, and why."""

    message: Message
    rejection: Rejected


@dataclass(slots=True, frozen=True)
class Failure:
    """One entry of a batch call that did not succeed.

    `permanent` means that the same request can never succeed (a receipt that the queue
    does not know, a letter too large to send).
    """

    message_id: str
    code: str
    permanent: bool


@dataclass(slots=True, frozen=True)
class QueueDepth:
    """Approximate numbers of messages: waiting, being worked on by anybody."""

    visible: int
    in_flight: int


class Delivery(Protocol):
    """What one receive brought, perhaps not read yet: many are read faster in a row.

    `size_bytes` is about what it takes in memory. Iterating reads it, once; it raises `Unavailable`
    when it turns out that it cannot be read.
    """

    @property
    def size_bytes(self) -> int:
        """See above."""
        ...

    def __len__(self) -> int:
        """About how many there are; it is false where there are none."""
        ...

    def __iter__(self) -> Iterator[Message]:
        """Read them."""
        ...


class Queue(Protocol):
    """A queue with at-least-once delivery, no order, and a visibility timeout.

    All calls may run concurrently, and raise `Unavailable` when the whole call got no usable
    answer; its effect is then unknown, and repeating it is safe. Batch calls take up to
    `BATCH` entries with distinct message ids; what they return are the entries that failed,
    the rest succeeded.
    """

    visibility_timeout_seconds: float

    async def receive(self) -> Delivery:
        """Wait for messages; empty when none came within the long poll.

        A message may come again at any time, even within its visibility and even twice in
        one answer. Cancelling it can leave messages invisible until their timeout ends.
        """
        ...

    def delete(self, receipts: Sequence[Receipt]) -> Awaitable[Sequence[Failure]]:
        """Remove messages for good. With an outdated receipt it may succeed without effect.

        The call is made ready at once, and sent when it is awaited, once. Receipts count as they
        are when it is made ready: a message among them may get a newer one meanwhile.
        """
        ...

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> Sequence[Failure]:
        """Keep messages invisible for `seconds` from now; 0 gives them back at once."""
        ...

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> Sequence[Failure]:
        """Copy messages to the dead-letter queue with stage, reason and detail.

        The original stays: delete it after this succeeded.
        """
        ...

    async def depth(self) -> QueueDepth:
        """How much is waiting. Approximate, and some seconds old."""
        ...


BATCH = 10
"""Most entries of one receive, delete, extend or dead_letter (the limit of SQS)."""


class MetadataStore(Protocol):
    """Looks up what is known about devices."""

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, Metadata | None]:
        """The records of the distinct `keys`: a record, or None where there certainly is none.

        A key that is absent from the answer was not answered (throttled, timed out): unknown is
        not missing, ask again later. Raises `Unavailable` when nothing was answered, and not
        because of these keys: then other keys are not worth asking for either.
        """
        ...


class MetadataCache(MetadataStore, Protocol):
    """A store with a memory, which can be looked into without a wait."""

    def at_hand(self) -> Known:
        """The records that may be used without `fetch`, until the next wait; perhaps none."""
        ...


class TimeSeriesSink(Protocol):
    """Stores lines of InfluxDB line protocol. The same line twice is stored once."""

    async def write(self, lines: Sequence[bytes]) -> None:
        """Store all lines (without line ends, never empty); returning means all are stored.

        Raises `Refused` when the sink read the body and will not take it as it is, and
        `Unavailable` in every other case, a lost or odd reply included: any part of the lines
        may be stored then. Calls may run concurrently.
        """
        ...

    async def ping(self) -> None:
        """Return when the sink can take writes with our credentials, else raise `Unavailable`."""
        ...


class Clock(Protocol):
    """Time as an argument."""

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and deadlines."""
        ...

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, for measuring lag against stamps made elsewhere."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task."""
        ...

"""What a queue hands over, and what becomes of it when it can never be stored."""

from enum import IntEnum, StrEnum
from typing import Self

import msgspec


class Receipt(msgspec.Struct, eq=False, gc=False):
    """The right to settle one received message.

    `message_id` identifies it within its queue; a redrive gives a new one.
    `receipt_handle` is valid for this receive only; a later receive supersedes it.
    """

    message_id: str
    receipt_handle: str


class State(IntEnum):
    """Where a message stands; up to WRITING nothing is decided about its end."""

    RECEIVED = 0
    WRITING = 1
    REJECTED = 2
    STORED = 3
    RELEASED = 4
    DELETED = 5


class Stage(StrEnum):
    """Where on its way a message was refused."""

    DECODE = "decode"
    MAP = "map"
    ENRICH = "enrich"
    WRITE = "write"


class Reason(StrEnum):
    """Why a message was refused: a bounded set, used as a metric label and a message attribute."""

    NO_ROUTE = "no-route"
    NO_PAYLOAD = "no-payload"
    BAD_ENCODING = "bad-encoding"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    NOT_JSON = "not-json"
    NOT_CBOR = "not-cbor"
    NOT_MESSAGEPACK = "not-messagepack"
    NOT_SENML = "not-senml"
    NOT_A_SHADOW = "not-a-shadow"
    NOT_AN_OBJECT = "not-an-object"
    BAD_READINGS = "bad-readings"
    NO_READINGS = "no-readings"
    TOO_MANY_READINGS = "too-many-readings"
    BAD_MEASUREMENT = "bad-measurement"
    MISSING_TAG = "missing-tag"
    BAD_TAG = "bad-tag"
    TOO_MANY_TAGS = "too-many-tags"
    MISSING_FIELD = "missing-field"
    BAD_FIELD = "bad-field"
    TOO_MANY_FIELDS = "too-many-fields"
    NO_FIELDS = "no-fields"
    MISSING_TIME = "missing-time"
    BAD_TIME = "bad-time"
    TIME_OUT_OF_RANGE = "time-out-of-range"
    BAD_METADATA_KEY = "bad-metadata-key"
    NO_METADATA = "no-metadata"
    FIELD_TYPE_CONFLICT = "field-type-conflict"
    BEYOND_RETENTION = "beyond-retention"
    TOO_MANY_SERIES = "too-many-series"
    REFUSED_BY_INFLUXDB = "refused-by-influxdb"
    LINE_TOO_LARGE = "line-too-large"
    INTERNAL_ERROR = "internal-error"


class Rejected(Exception):
    """This message can never be stored as it is: it goes to the dead-letter queue.

    `detail` names the place (a field, a tag) and what is wrong there, in a sentence for a person.
    """

    def __init__(self, stage: Stage, reason: Reason, detail: str) -> None:
        super().__init__(stage, reason, detail)
        self.stage = stage
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.stage}: {self.reason}: {self.detail}"

    def bare(self) -> Self:
        """The same, without what it came from: a traceback holds whatever its functions held."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)


class Attributes(msgspec.Struct, eq=False, gc=False):
    """What a queue says about a message that it hands over.

    `sent_at_ms` is when it entered the queue (epoch milliseconds), the same on every redelivery.
    `receive_count` starts at 1.
    """

    sent_at_ms: int
    receive_count: int = 1


class Lease(msgspec.Struct, frozen=True, eq=False, gc=False):
    """How long messages are ours, in monotonic seconds: since `received_at`, and `until`."""

    received_at: float
    until: float


NO_LEASE = Lease(0.0, 0.0)


class Message(Receipt, eq=False, gc=False):
    """One message as received, and where it stands since.

    What follows `attributes` belongs to the settlement (see there). `open_lines` counts the lines
    that are neither stored nor refused yet, the last one included to the end: most messages have
    one. `rejection` is the first refusal of any of them, bare: the garbage collector does not look
    into messages. `renewed_as` is the number among all receipts that were replaced of the one that
    was replaced here last.
    """

    body: str
    attributes: Attributes
    lease: Lease = NO_LEASE
    open_lines: int = 1
    rejection: Rejected | None = None
    state: State = State.RECEIVED
    renewed_as: int = 0


class Delivered(list[Message]):
    """What one receive brought, read already. `size_bytes` are those of the bodies, about."""

    @property
    def size_bytes(self) -> int:
        """Counted anew each time."""
        return sum([len(each.body) for each in self])

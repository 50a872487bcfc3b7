"""Entries of SQS calls, and what it answers, as far as we read it: numbers in text are numbers."""

import msgspec

from ingestor.core.message import Attributes, Message


class SystemAttributes(
    Attributes,
    rename={"sent_at_ms": "SentTimestamp", "receive_count": "ApproximateReceiveCount"},
    eq=False,
    gc=False,
):
    """Those of a received message that are asked for."""

    sent_at_ms: int
    receive_count: int


class Received(Message, rename="pascal", eq=False, gc=False):
    """One received message: made in one step, because each step counts here.

    Only fields that stand here again are spelled as SQS spells them.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: SystemAttributes  # type: ignore[mutable-override] # as it is read, whatever replaces it


class ReceiveAnswer(msgspec.Struct, rename="pascal", gc=False):
    """ReceiveMessage."""

    messages: list[Received] | None = None


class Entry(msgspec.Struct, rename="pascal", gc=False):
    """An entry of a batch call: a message by its receipt."""

    id: str
    receipt_handle: str


class VisibilityEntry(Entry, gc=False):
    """One of ChangeMessageVisibilityBatch."""

    visibility_timeout: int


class Done(msgspec.Struct, rename="pascal", gc=False):
    """An entry of a batch call that succeeded."""

    id: str


class Failed(msgspec.Struct, rename="pascal", gc=False):
    """An entry of a batch call that did not."""

    id: str
    code: str
    sender_fault: bool


class BatchAnswer(msgspec.Struct, rename="pascal", gc=False):
    """DeleteMessageBatch, ChangeMessageVisibilityBatch, SendMessageBatch."""

    successful: list[Done] | None = None
    failed: list[Failed] | None = None


class AttributesAnswer(msgspec.Struct, rename="pascal", gc=False):
    """GetQueueAttributes, with all attributes."""

    attributes: dict[str, str]


class Depth(msgspec.Struct, rename="pascal", gc=False):
    """The attributes that tell how much is in a queue."""

    approximate_number_of_messages: int
    approximate_number_of_messages_not_visible: int


class DepthAnswer(msgspec.Struct, rename="pascal", gc=False):
    """GetQueueAttributes, with those of the depth alone."""

    attributes: Depth


class UrlAnswer(msgspec.Struct, rename="pascal", gc=False):
    """GetQueueUrl."""

    queue_url: str

"""A message that was opened: its readings, and all that a rule may refer to."""

from typing import Any

from ingestor.core.metadata import Metadata


class Opened:
    """The readings of one message with what is around them.

    `body` is the queue's message as JSON (None when it is none), `message` what the device sent,
    `topic` what the message names as its topic (any JSON value; no text is no topic),
    `readings` the parts of `message` that become lines. `record` is the metadata record of the
    reading that is being encoded.
    """

    __slots__ = ("body", "message", "readings", "record", "topic")

    def __init__(self, body: Any, message: Any, topic: Any, readings: list[Any]) -> None:
        self.body = body
        self.message = message
        self.topic = topic
        self.readings = readings
        self.record: Metadata | None = None

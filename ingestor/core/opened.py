"""A message that was opened: its readings, and all that a rule may refer to."""

from typing import Any

import msgspec

from ingestor.core.metadata import Metadata


class Opened(msgspec.Struct, eq=False, gc=False):
    """The readings of one message with what is around them.

    `body` is the queue's message as JSON (None when it is none), `message` what the device sent,
    `topic` what the message names as its topic (any JSON value; no text is no topic),
    `readings` the parts of `message` that become lines. `record` is the metadata record of the
    reading that is being encoded.
    """

    body: Any
    message: Any
    topic: Any
    readings: list[Any]
    record: Metadata | None = None

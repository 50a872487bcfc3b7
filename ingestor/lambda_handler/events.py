"""What Lambda hands over, as messages: an event of a queue, or of a rule directly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ingestor.core.message import Attributes, Message


@dataclass(slots=True, frozen=True)
class Delivery:
    """The messages of one invocation, in order.

    `from_queue` is True when the event source mapping wants to hear which of them failed.
    """

    messages: list[Message]
    from_queue: bool


def read_event(event: Any, *, invocation: str, now_ms: int) -> Delivery:
    """The messages of an event.

    An event of SQS has records with ids and stamps of their own. What a rule sends is one reading,
    or an array of readings; it has neither: ids are made from `invocation`, and the stamp is
    `now_ms` (epoch milliseconds), which counts only for readings without any time. A rule that
    adds `timestamp() AS received_at` has none of those.
    """
    if _is_from_queue(event):
        return Delivery([_from_record(record) for record in event["Records"]], from_queue=True)
    readings = event if isinstance(event, list) else [event]
    messages = [
        Message(f"{invocation}#{n}", "", _body(reading), Attributes(now_ms))
        for n, reading in enumerate(readings)
    ]
    return Delivery(messages, from_queue=False)


def _is_from_queue(event: Any) -> bool:
    records = event.get("Records") if isinstance(event, Mapping) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(
            isinstance(each, Mapping) and each.get("eventSource") == "aws:sqs" for each in records
        )
    )


def _from_record(record: Mapping[str, Any]) -> Message:
    attributes = record["attributes"]
    return Message(
        record["messageId"],
        record["receiptHandle"],
        record["body"],
        Attributes(int(attributes["SentTimestamp"]), int(attributes["ApproximateReceiveCount"])),
    )


def _body(reading: Any) -> str:
    # A rule with binary payloads hands over a text: that is the body itself.
    return reading if isinstance(reading, str) else msgspec.json.encode(reading).decode()

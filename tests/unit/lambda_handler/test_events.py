"""What Lambda hands over."""

import json
from typing import Any

import pytest

from ingestor.lambda_handler.events import read_event

NOW_MS = 1_700_000_000_000
RECORD: dict[str, Any] = {
    "messageId": "m-1",
    "receiptHandle": "handle",
    "body": '{"pressure": 1}',
    "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1600000000000"},
    "eventSource": "aws:sqs",
}


def test_event_of_a_queue() -> None:
    """Records keep their ids and stamps, and the queue wants to hear of failures."""
    delivery = read_event({"Records": [RECORD]}, invocation="i", now_ms=NOW_MS)

    [message] = delivery.messages
    assert delivery.from_queue
    assert (message.message_id, message.receipt_handle) == ("m-1", "handle")
    assert (message.body, message.attributes.sent_at_ms) == ('{"pressure": 1}', 1_600_000_000_000)
    assert message.attributes.receive_count == 3


def test_event_of_a_rule() -> None:
    """One reading becomes one message."""
    delivery = read_event({"pressure": 1}, invocation="i", now_ms=NOW_MS)

    [message] = delivery.messages
    assert not delivery.from_queue
    assert (message.message_id, message.attributes.sent_at_ms) == ("i#0", NOW_MS)
    assert json.loads(message.body) == {"pressure": 1}


def test_array_of_readings() -> None:
    """Several readings become several messages, in order."""
    delivery = read_event([{"a": 1}, {"a": 2}], invocation="i", now_ms=NOW_MS)

    assert [json.loads(each.body)["a"] for each in delivery.messages] == [1, 2]
    assert [each.message_id for each in delivery.messages] == ["i#0", "i#1"]


@pytest.mark.parametrize(
    "event", [{"Records": []}, {"Records": [{"a": 1}]}, {"Records": 5}, {"Records": ["x"]}]
)
def test_a_reading_that_looks_like_an_event(event: dict[str, Any]) -> None:
    """A device may well call something `Records`: that is a reading."""
    delivery = read_event(event, invocation="i", now_ms=NOW_MS)

    assert not delivery.from_queue
    assert [json.loads(each.body) for each in delivery.messages] == [event]


def test_text_of_a_rule() -> None:
    """A payload that the rule hands over as text is the body."""
    delivery = read_event("eyJhIjogMX0=", invocation="i", now_ms=NOW_MS)

    assert [each.body for each in delivery.messages] == ["eyJhIjogMX0="]

"""Dead letters become the messages that they were."""

import base64
import gzip
import json
from typing import Any

import pytest

from ingestor.core.letters import ENCODING, MOST_BYTES, NotRestorable, restore


def packed(data: bytes) -> str:
    """As the service compresses what would not fit."""
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def envelope(payload: bytes, **changes: Any) -> str:
    """What the error action of an IoT rule sends."""
    content = {
        "ruleName": "ingest",
        "topic": "pressure/data",
        "clientId": "d1",
        "base64OriginalPayload": base64.b64encode(payload).decode(),
        "failures": [{"failedAction": "SqsAction", "errorMessage": "no such queue"}],
    }
    return json.dumps(content | changes)


@pytest.mark.parametrize(
    "body", ["poison", '{"pressure": 1}', "[1]", '{"failures": 1}', "", "[" * 5000]
)
def test_a_plain_letter_is_the_message(body: str) -> None:
    """Whatever was refused is given back as it was."""
    assert restore(body, {"reason": "not-json"}, sent_at_ms=5) == body


def test_a_compressed_letter_is_decompressed() -> None:
    """What had to be compressed to fit comes back whole."""
    body = "ü" * 100_000

    assert restore(packed(body.encode()), {"encoding": ENCODING}, sent_at_ms=5) == body


def test_the_error_of_a_rule_becomes_its_message() -> None:
    """The payload comes with the topic, and with the time of the error for that of the rule."""
    body = restore(envelope(b'{"pressure": 1}'), {}, sent_at_ms=5)

    assert json.loads(body) == {"pressure": 1, "topic": "pressure/data", "received_at": 5}


def test_without_a_topic_nothing_is_added() -> None:
    """An envelope that names no topic gives the payload alone."""
    body = restore(envelope(b'{"pressure": 1}', topic=None), {}, sent_at_ms=5)

    assert json.loads(body) == {"pressure": 1}


@pytest.mark.parametrize(
    ("body", "attributes", "why"),
    [
        ("", {"encoding": "zip"}, "its encoding 'zip' is not known here"),
        ("§", {"encoding": ENCODING}, "its compressed body is damaged"),
        ("AAAA", {"encoding": ENCODING}, "its compressed body is damaged"),
        (packed(b"\xff"), {"encoding": ENCODING}, "its compressed body is damaged"),
        (packed(b"x" * 999)[:24], {"encoding": ENCODING}, "too large or cut off"),
        (packed(b"x" * (MOST_BYTES + 1)), {"encoding": ENCODING}, "too large or cut off"),
        (envelope(b"not json"), {}, "is not JSON"),
        (envelope(b"[1]"), {}, "is not an object"),
        (envelope(b"{}", base64OriginalPayload=7), {}, "is not JSON"),
        (envelope(b"{}", base64OriginalPayload="%"), {}, "is not JSON"),
    ],
)
def test_what_cannot_be_restored_says_why(body: str, attributes: dict[str, str], why: str) -> None:
    """A letter that is damaged stays where it is."""
    with pytest.raises(NotRestorable, match=why):
        restore(body, attributes, sent_at_ms=5)

"""Requests that are made ready before they are sent, and answers that are read after they came."""

import json
import time

import pytest
from support.canned import reply
from unit.adapters.sqs.conftest import Lean

from ingestor.adapters.sqs.answers import BatchAnswer
from ingestor.adapters.sqs.lean import transport
from ingestor.ports import Delivery, Unavailable

DONE = reply(200, json.dumps({"Successful": [{"Id": "0"}], "Failed": []}))
POLL = {"QueueUrl": "url"}
REQUEST = {"QueueUrl": "url", "Entries": []}


def messages(count: int) -> bytes:
    """An answer to ReceiveMessage."""
    each = {
        "ReceiptHandle": "r" * 40,
        "Body": '{"MessageId": "of somebody else", "pressure": 1}',
        "Attributes": {"SentTimestamp": "1700000000123", "ApproximateReceiveCount": "1"},
    }
    listed = [{"MessageId": f"m{n}"} | each for n in range(count)]
    return reply(200, json.dumps({"Messages": listed}, separators=(",", ":")))


async def receive(lean: Lean) -> Delivery:
    """One poll."""
    return await lean.calls.receive(POLL, seconds=30.0)


async def test_is_sent_when_it_is_awaited(lean: Lean) -> None:
    """And not before; one that is dropped is never sent."""
    lean.server.replies += [DONE, DONE]
    dropped = lean.calls.call("DeleteMessageBatch", REQUEST, BatchAnswer, seconds=30.0)
    del dropped
    ready = [
        lean.calls.call("DeleteMessageBatch", REQUEST, BatchAnswer, seconds=30.0) for _ in range(2)
    ]
    assert lean.server.requests == []
    for each in ready:
        assert (await each).successful
    assert len(lean.server.requests) == 2


async def test_is_signed_when_it_is_made_ready(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again, as of now, where that was too long ago for SQS to accept it."""
    lean.server.replies += [DONE] * 3
    await lean.calls.call("DeleteMessageBatch", REQUEST, BatchAnswer, seconds=30.0)  # fetches keys
    fresh = lean.calls.call("DeleteMessageBatch", REQUEST, BatchAnswer, seconds=30.0)
    monkeypatch.setattr(transport, "GOOD_SECONDS", -1.0)
    stale = lean.calls.call("DeleteMessageBatch", REQUEST, BatchAnswer, seconds=30.0)

    later = time.time() + 3600
    monkeypatch.setattr(transport, "time", lambda: later)
    await fresh
    await stale

    first, second, third = (each.headers["x-amz-date"] for each in lean.server.requests)
    assert first[:11] == second[:11]
    assert third == time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(later))


async def test_polls_are_signed_once_a_second(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the same request within it, and another one after it."""
    lean.server.replies += [messages(1)] * 4
    await receive(lean)  # fetches keys
    await receive(lean)
    monkeypatch.setattr(transport, "time", lambda: 1_700_000_000.0)
    await receive(lean)
    monkeypatch.setattr(lean.calls, "_poll_anew_at", 0.0)
    await receive(lean)

    moments = [each.headers["x-amz-date"] for each in lean.server.requests]
    assert moments[1] == moments[2]
    assert moments[3] == "20231114T221320Z"


@pytest.mark.parametrize("count", [1, 7, 10])
async def test_messages_are_read_when_they_are_wanted(lean: Lean, count: int) -> None:
    """Until then they are counted, where anybody asks, by what stands once in each."""
    lean.server.replies.append(messages(count))
    delivery = await receive(lean)
    assert delivery
    assert len(delivery) == count
    assert delivery.size_bytes > count * 100
    assert [each.message_id for each in delivery] == [f"m{n}" for n in range(count)]


@pytest.mark.parametrize("body", ["{}", '{"Messages":[]}', '{"Messages": null}'])
async def test_no_messages(lean: Lean, body: str) -> None:
    """An answer without any is false."""
    lean.server.replies.append(reply(200, body))
    delivery = await receive(lean)
    assert not delivery
    assert list(delivery) == []
    assert delivery.size_bytes == 0


@pytest.mark.parametrize(
    "body", ["<html>no</html>", f"<html>{'no ' * 50}</html>", '{"Messages":1}']
)
async def test_a_page_instead_of_messages(lean: Lean, body: str) -> None:
    """It is noticed when it comes, or when it is read."""
    lean.server.replies.append(reply(200, body))
    with pytest.raises(Unavailable, match="unreadable"):
        list(await receive(lean))


async def test_nothing_but_space(lean: Lean) -> None:
    """A long answer without messages reads as none."""
    lean.server.replies.append(reply(200, '{"Messages":[]' + " " * 100 + "}"))
    assert list(await receive(lean)) == []

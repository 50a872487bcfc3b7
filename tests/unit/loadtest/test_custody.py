"""What a service still has to settle, by what it was told."""

import json
from typing import Any

from loadtest.chaos.custody import Custody
from loadtest.proxy import Reply, Request


def asked(operation: str, *receipts: str) -> Request:
    """A call, with an entry for each receipt."""
    entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(receipts)]
    body = json.dumps({"Entries": entries}).encode()
    return Request("POST", "/", {"x-amz-target": f"AmazonSQS.{operation}"}, body)


def answer(**content: Any) -> Reply:
    """A reply of SQS."""
    return Reply(200, {}, json.dumps(content).encode())


def receive(custody: Custody, message_id: str, receipt: str, count: int = 1) -> None:
    """The service receives a message."""
    message = {
        "MessageId": message_id,
        "ReceiptHandle": receipt,
        "Attributes": {"ApproximateReceiveCount": str(count)},
    }
    custody.told(asked("ReceiveMessage"), answer(Messages=[message]))


def delete(custody: Custody, *receipts: str, done: tuple[int, ...] = (0,)) -> None:
    """The service deletes; the entries of these numbers succeed."""
    successful = [{"Id": str(n)} for n in done]
    custody.told(asked("DeleteMessageBatch", *receipts), answer(Successful=successful))


def test_from_receive_to_delete() -> None:
    """A message is held until its delete was answered with success."""
    custody = Custody()
    receive(custody, "a", "a1")
    receive(custody, "b", "b1")
    assert (len(custody), custody.received, custody.redelivered) == (2, 2, 0)

    delete(custody, "a1", "b1", done=(1,))
    assert len(custody) == 1
    delete(custody, "a1")
    assert len(custody) == 0


def test_what_was_not_told_changes_nothing() -> None:
    """Errors, pages of others and other calls neither give nor take a message."""
    custody = Custody()
    receive(custody, "a", "a1")
    call = asked("DeleteMessageBatch", "a1")
    custody.told(call, Reply(500))
    custody.told(call, Reply(200, {}, b"<html>"))
    custody.told(call, Reply(200, {}, b"[]"))
    custody.told(asked("ChangeMessageVisibilityBatch", "a1"), answer(Successful=[{"Id": "0"}]))
    delete(custody, "unknown")

    assert len(custody) == 1


def test_a_message_that_came_twice_is_settled_by_one_delete() -> None:
    """With any of its receipts."""
    custody = Custody()
    receive(custody, "a", "a1")
    receive(custody, "a", "a2", count=2)
    assert (len(custody), custody.received, custody.redelivered) == (1, 2, 1)

    delete(custody, "a1")
    delete(custody, "a2")

    assert len(custody) == 0


def test_only_what_a_clean_stop_left_and_came_again_counts() -> None:
    """Neither what was killed away, nor what never comes again, nor a second return counts."""
    custody = Custody()
    receive(custody, "killed", "k1")
    custody.killed()
    receive(custody, "killed", "k2", count=2)
    delete(custody, "k2")
    receive(custody, "left", "l1")
    receive(custody, "deleted-and-not-told", "d1")
    custody.stopped()
    assert (len(custody), custody.left_behind) == (0, 0)

    receive(custody, "left", "l2", count=2)
    receive(custody, "left", "l3", count=3)

    assert custody.left_behind == 1

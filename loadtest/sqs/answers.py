"""The operations of SQS that services and tests ask for."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import uuid4

import msgspec

from loadtest.bench.wire import Reply, reply
from loadtest.sqs.model import Message, Queue

_ACCOUNT = "000000000000"
_DEFAULTS = {"VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "DelaySeconds": "0"}
_MOST_WAKES = 64
"""So many polls are looked at when messages come."""

_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Failed(Exception):
    """The call fails with this code."""


@dataclass(slots=True, eq=False)
class _Poll:
    """A receive that waits."""

    most: int
    seconds: float
    until: float
    answer: Reply
    timer: asyncio.TimerHandle | None = None


class Answers:
    """All queues of one server. Called by a `Wire` with each request."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._queues: dict[str, Queue] = {}
        self._polls: dict[str, deque[_Poll]] = {}
        self._calls: dict[bytes, Callable[[dict[str, Any]], dict[str, Any]]] = {
            b"CreateQueue": self._create,
            b"GetQueueUrl": self._url_of,
            b"GetQueueAttributes": self._attributes,
            b"SetQueueAttributes": self._set_attributes,
            b"PurgeQueue": self._purge,
            b"SendMessage": self._send,
            b"SendMessageBatch": self._send_batch,
            b"DeleteMessageBatch": self._delete,
            b"ChangeMessageVisibilityBatch": self._change,
        }

    def __call__(self, line: bytes, operation: bytes, body: bytes, answer: Reply) -> None:
        """See Answer."""
        if line.startswith(b"GET"):
            answer(reply(b"{}"))
            return
        try:
            asked = _decode(body)
            if operation == b"ReceiveMessage":
                self._receive(asked, answer)
            else:
                answer(reply(_encode(self._calls[operation](asked))))
        except Failed as failure:
            answer(_failure(str(failure)))
        except (KeyError, ValueError, TypeError):
            answer(_failure("InvalidParameterValue"))

    def _queue(self, asked: dict[str, Any]) -> Queue:
        queue = self._queues.get(asked["QueueUrl"])
        if queue is None:
            raise Failed("QueueDoesNotExist")
        return queue

    def _url_of(self, asked: dict[str, Any]) -> dict[str, Any]:
        url = self._address(asked["QueueName"])
        self._queue({"QueueUrl": url})
        return {"QueueUrl": url}

    def _address(self, name: str) -> str:
        return f"{self._url}/{_ACCOUNT}/{name}"

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["QueueName"]
        url = self._address(name)
        arn = {"QueueArn": f"arn:aws:sqs:us-east-1:{_ACCOUNT}:{name}"}
        self._queues[url] = Queue(name, _DEFAULTS | arn)
        self._polls[url] = deque()
        self._set_attributes({"QueueUrl": url, "Attributes": asked.get("Attributes", {})})
        return {"QueueUrl": url}

    def _set_attributes(self, asked: dict[str, Any]) -> dict[str, Any]:
        queue = self._queue(asked)
        queue.attributes |= asked["Attributes"]
        if "RedrivePolicy" in queue.attributes:
            policy = json.loads(queue.attributes["RedrivePolicy"])
            arn = policy["deadLetterTargetArn"]
            (queue.dead_letters,) = (
                each for each in self._queues.values() if each.attributes["QueueArn"] == arn
            )
            queue.most_receives = int(policy["maxReceiveCount"])
        return {}

    def _attributes(self, asked: dict[str, Any]) -> dict[str, Any]:
        queue = self._queue(asked)
        visible, in_flight = queue.depth(time.time())
        attributes = queue.attributes | {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        }
        wanted = asked.get("AttributeNames", [])
        if "All" not in wanted:
            attributes = {name: attributes[name] for name in wanted if name in attributes}
        return {"Attributes": attributes}

    def _purge(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._queue(asked).clear()
        return {}

    def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        sent = self._take(self._queue(asked), asked)
        self._wake(asked["QueueUrl"])
        return sent

    def _send_batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        queue = self._queue(asked)
        done = [{"Id": each["Id"], **self._take(queue, each)} for each in _entries(asked)]
        self._wake(asked["QueueUrl"])
        return {"Successful": done}

    def _take(self, queue: Queue, entry: dict[str, Any]) -> dict[str, Any]:
        message = Message(
            str(uuid4()),
            entry["MessageBody"],
            entry.get("MessageAttributes", {}),
            int(time.time() * 1000),
        )
        queue.send(message)
        return {"MessageId": message.id, "MD5OfMessageBody": message.md5}

    def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        queue = self._queue(asked)
        return _results(asked, lambda entry: queue.delete(entry["ReceiptHandle"]))

    def _change(self, asked: dict[str, Any]) -> dict[str, Any]:
        queue, now = self._queue(asked), time.time()

        def change(entry: dict[str, Any]) -> str | None:
            return queue.change(entry["ReceiptHandle"], now, entry["VisibilityTimeout"])

        results = _results(asked, change)
        self._wake(asked["QueueUrl"])
        return results

    def _receive(self, asked: dict[str, Any], answer: Reply) -> None:
        queue = self._queue(asked)
        now = time.time()
        poll = _Poll(
            asked.get("MaxNumberOfMessages", 1),
            asked.get("VisibilityTimeout", queue.visibility_seconds),
            now + asked.get("WaitTimeSeconds", 0),
            answer,
        )
        self._look(asked["QueueUrl"], poll)

    def _look(self, url: str, poll: _Poll) -> None:
        """Answer a poll, or let it wait for messages, for hidden ones, or for its end."""
        queue, now = self._queues[url], time.time()
        messages = queue.receive(poll.most, now, poll.seconds)
        if messages or now >= poll.until:
            poll.answer(reply(_encode({"Messages": [_as_received(each) for each in messages]})))
            return
        due = min(poll.until, queue.next_visible_at)
        loop = asyncio.get_running_loop()
        poll.timer = loop.call_later(max(due - now, 0.001), self._look_again, url, poll)
        self._polls[url].append(poll)

    def _look_again(self, url: str, poll: _Poll) -> None:
        self._polls[url].remove(poll)
        self._look(url, poll)

    def _wake(self, url: str) -> None:
        """Look at the polls that wait, the oldest first."""
        polls = self._polls[url]
        for poll in list(islice(polls, _MOST_WAKES)):
            if not self._queues[url].depth(time.time())[0]:
                return
            if poll.timer is not None:
                poll.timer.cancel()
            self._look_again(url, poll)


def _entries(asked: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = asked["Entries"]
    if not entries:
        raise Failed("EmptyBatchRequest")
    if len(entries) > 10:  # noqa: PLR2004 - the limit of SQS
        raise Failed("TooManyEntriesInBatchRequest")
    if len({each["Id"] for each in entries}) < len(entries):
        raise Failed("BatchEntryIdsNotDistinct")
    return entries


def _results(asked: dict[str, Any], do: Callable[[dict[str, Any]], str | None]) -> dict[str, Any]:
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in _entries(asked):
        code = do(entry)
        if code is None:
            done.append({"Id": entry["Id"]})
        else:
            failed.append({"Id": entry["Id"], "Code": code, "SenderFault": True})
    return {"Successful": done, "Failed": failed}


def _as_received(message: Message) -> dict[str, Any]:
    received = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": message.md5,
        "Body": message.body,
        "Attributes": {
            "SentTimestamp": str(message.sent_at_ms),
            "ApproximateReceiveCount": str(message.receives),
        },
    }
    if message.attributes:
        received["MessageAttributes"] = message.attributes
    return received


def _failure(code: str) -> bytes:
    body = _encode({"__type": f"com.amazonaws.sqs#{code}", "message": code})
    return reply(body).replace(b" 200 OK", b" 400 Bad Request", 1)

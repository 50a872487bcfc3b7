"""The dead-letter queue, or that of a rule's errors, as operators look into it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from ingestor.adapters.aws import CALL_SECONDS
from ingestor.adapters.sqs.answers import BatchAnswer, DepthAnswer
from ingestor.adapters.sqs.boto import open_boto
from ingestor.adapters.sqs.setup import inspect
from ingestor.adapters.sqs.transport import POLL_GRACE_SECONDS, Transport
from ingestor.console_ports import StoredLetter
from ingestor.ports import BATCH

HOLD_SECONDS = 300
"""How long letters that were looked at stay invisible, unless they are put back before."""
WAIT_SECONDS = 1


class _Attribute(msgspec.Struct, rename="pascal"):
    string_value: str = ""


class _System(msgspec.Struct, rename="pascal"):
    sent_timestamp: int


class _Received(msgspec.Struct, rename="pascal"):
    message_id: str
    receipt_handle: str
    body: str
    attributes: _System
    message_attributes: dict[str, _Attribute] = {}


class _Answer(msgspec.Struct, rename="pascal"):
    messages: list[_Received] | None = None


@asynccontextmanager
async def open_dead_letters(
    *,
    queue_url: str,
    dead_letter_queue_url: str | None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    hold_seconds: int = HOLD_SECONDS,
) -> AsyncIterator["DeadLetterBox"]:
    """The letters of `dead_letter_queue_url`, or of the queue's own where that is None.

    What was taken stays invisible for `hold_seconds`, unless it is put back before.

    Raises:
        QueueSetupError: the queues cannot be used as they are.
        Unavailable: SQS did not answer, or not to us.
    """
    opened = open_boto(
        wait_seconds=WAIT_SECONDS, pollers=1, endpoint_url=endpoint_url, region_name=region_name
    )
    async with opened as (polls, calls):
        setup = await inspect(
            calls, queue_url=queue_url, dead_letter_queue_url=dead_letter_queue_url
        )
        yield DeadLetterBox(
            polls, calls, queue_url, setup.dead_letter_queue_url, hold_seconds=hold_seconds
        )


class DeadLetterBox:
    """The `LetterBox` port over SQS. Made by `open_dead_letters`."""

    def __init__(
        self, polls: Transport, calls: Transport, queue_url: str, url: str, *, hold_seconds: int
    ) -> None:
        self._hold_seconds = hold_seconds
        self.url = url
        self._queue_url = queue_url
        self._polls = polls
        self._calls = calls

    def __repr__(self) -> str:
        return f"<DeadLetterBox {self.url}>"

    async def take(self) -> list[StoredLetter]:
        """Some letters, which nobody else sees for a while; empty when there seem to be none."""
        request = {
            "QueueUrl": self.url,
            "MaxNumberOfMessages": BATCH,
            "WaitTimeSeconds": WAIT_SECONDS,
            "VisibilityTimeout": self._hold_seconds,
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": ["SentTimestamp"],
        }
        answer = await self._polls.call(
            "ReceiveMessage", request, _Answer, seconds=WAIT_SECONDS + POLL_GRACE_SECONDS
        )
        return [
            StoredLetter(
                each.message_id,
                each.receipt_handle,
                each.body,
                each.attributes.sent_timestamp,
                {name: value.string_value for name, value in each.message_attributes.items()},
            )
            for each in answer.messages or ()
        ]

    async def put_back(self, letters: Sequence[StoredLetter]) -> set[str]:
        """Let others see them again."""
        entries = [
            {"Id": str(n), "ReceiptHandle": each.receipt_handle, "VisibilityTimeout": 0}
            for n, each in enumerate(letters)
        ]
        return await self._batch("ChangeMessageVisibilityBatch", self.url, letters, entries)

    async def remove(self, letters: Sequence[StoredLetter]) -> set[str]:
        """Delete them for good."""
        entries = [
            {"Id": str(n), "ReceiptHandle": each.receipt_handle} for n, each in enumerate(letters)
        ]
        return await self._batch("DeleteMessageBatch", self.url, letters, entries)

    async def send(self, letters: Sequence[StoredLetter], bodies: Sequence[str]) -> set[str]:
        """Put the restored bodies of these letters into the queue that the service receives."""
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        return await self._batch("SendMessageBatch", self._queue_url, letters, entries)

    async def waiting(self) -> int:
        """See LetterBox."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        request = {"QueueUrl": self.url, "AttributeNames": names}
        answer = await self._calls.call(
            "GetQueueAttributes", request, DepthAnswer, seconds=CALL_SECONDS
        )
        return answer.attributes.approximate_number_of_messages

    async def _batch(
        self,
        operation: str,
        url: str,
        letters: Sequence[StoredLetter],
        entries: list[dict[str, Any]],
    ) -> set[str]:
        if not entries:
            return set()
        request = {"QueueUrl": url, "Entries": entries}
        answer = await self._calls.call(operation, request, BatchAnswer, seconds=CALL_SECONDS)
        return {letters[int(each.id)].message_id for each in answer.successful or ()}

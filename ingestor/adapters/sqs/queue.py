"""The `Queue` port over SQS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from ingestor.adapters.aws import CALL_SECONDS, THROTTLING, short_code
from ingestor.adapters.sqs.answers import (
    BatchAnswer,
    DepthAnswer,
    Entry,
    Failed,
    VisibilityEntry,
)
from ingestor.adapters.sqs.boto import open_boto
from ingestor.adapters.sqs.lean.transport import open_lean
from ingestor.adapters.sqs.letters import CALL_BYTES, Letter, make_letters, split
from ingestor.adapters.sqs.setup import Setup, inspect
from ingestor.adapters.sqs.transport import POLL_GRACE_SECONDS, Transport
from ingestor.core.later import Later
from ingestor.core.message import Receipt
from ingestor.ports import BATCH, DeadLetter, Delivery, Failure, QueueDepth, Unavailable

LONGEST_VISIBILITY_SECONDS = 43_200
_IDS = [str(n) for n in range(BATCH)]
"""Of the entries of a batch call: their places in it."""

_MAY_PASS = THROTTLING | {
    "AccessDenied",
    "AccessDeniedException",
    "KMS.AccessDeniedException",
    "KMS.DisabledException",
    "KMS.InvalidStateException",
    "KMS.NotFoundException",
    "KMS.OptInRequired",
}
"""Failures that SQS counts as the sender's, and that time or a person repairs."""


@asynccontextmanager
async def open_sqs(
    *,
    queue_url: str,
    dead_letter_queue_url: str | None,
    wait_seconds: int,
    pollers: int,
    endpoint_url: str | None = None,
    region_name: str | None = None,
    labels: Mapping[str, str] | None = None,
    client: Literal["lean", "aioboto3"] = "aioboto3",
) -> AsyncIterator["SqsQueue"]:
    """A connection to a queue, checked, until the end of the block.

    Args:
        queue_url: Where messages come from.
        dead_letter_queue_url: Where dead letters go; None: where the redrive policy says.
        wait_seconds: How long one `receive` waits for messages, 0 to 20.
        pollers: How many receives there will be side by side.
        endpoint_url: Another address of SQS than the region's; None: as AWS_ENDPOINT_URL says.
        region_name: None: as AWS_REGION or AWS_DEFAULT_REGION says.
        labels: Further attributes of every dead letter.
        client: Which client makes the calls.

    Raises:
        QueueSetupError: the queues cannot be used as they are.
        Unavailable: SQS did not answer, or not to us.
    """
    opened = open_lean if client == "lean" else open_boto
    async with opened(
        wait_seconds=wait_seconds,
        pollers=pollers,
        endpoint_url=endpoint_url,
        region_name=region_name,
    ) as (polls, calls):
        setup = await inspect(
            calls, queue_url=queue_url, dead_letter_queue_url=dead_letter_queue_url
        )
        yield SqsQueue(
            polls=polls,
            calls=calls,
            queue_url=queue_url,
            setup=setup,
            wait_seconds=wait_seconds,
            labels=labels or {},
        )


class SqsQueue:
    """A standard queue and its dead-letter queue. Made by `open_sqs`.

    `warnings` are sentences about how the queues are set up, for `ingestor check`.
    """

    def __init__(
        self,
        *,
        polls: Transport,
        calls: Transport,
        queue_url: str,
        setup: Setup,
        wait_seconds: int,
        labels: Mapping[str, str],
    ) -> None:
        self._labels = labels
        self.visibility_timeout_seconds = setup.visibility_timeout_seconds
        self.queue_url = queue_url
        self.dead_letter_queue_url = setup.dead_letter_queue_url
        self.warnings = setup.warnings
        self._letter_bytes = setup.letter_bytes
        self._polls = polls
        self._calls = calls
        self._receive_seconds = wait_seconds + POLL_GRACE_SECONDS
        self._receive_request = {
            "QueueUrl": queue_url,
            "MaxNumberOfMessages": BATCH,
            "WaitTimeSeconds": wait_seconds,
            "MessageSystemAttributeNames": ["SentTimestamp", "ApproximateReceiveCount"],
        }

    def __repr__(self) -> str:
        return f"<SqsQueue {self.queue_url}>"

    def receive(self) -> Coroutine[Any, Any, Delivery]:
        """See Queue."""
        return self._polls.receive(self._receive_request, seconds=self._receive_seconds)

    def delete(self, receipts: Sequence[Receipt]) -> Awaitable[list[Failure]]:
        """See Queue."""
        entries = list(map(Entry, _IDS, [each.receipt_handle for each in receipts]))
        return self._settle("DeleteMessageBatch", receipts, entries)

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> list[Failure]:
        """See Queue. SQS counts whole seconds, at most 12 hours: less than asked rather than more.

        Under a second is one second, unless it is 0.
        """
        whole = min(int(seconds), LONGEST_VISIBILITY_SECONDS) or int(seconds > 0)
        entries = [
            VisibilityEntry(n, each.receipt_handle, whole)
            for n, each in zip(_IDS, receipts, strict=False)
        ]
        return await self._settle("ChangeMessageVisibilityBatch", receipts, entries)

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> list[Failure]:
        """See Queue. A body too large beside its attributes is sent compressed.

        Message attributes: `stage`, `reason`, `detail`, `original_message_id`,
        `original_sent_at_ms`, `topic` where the message names one, the labels, and `encoding`
        (`gzip+base64`) where the body was compressed.
        """
        # In a thread, because a megabyte takes long to compress.
        made, failures = await asyncio.to_thread(
            make_letters, letters, self._letter_bytes, self._labels
        )
        sent = False
        for call in split(made, max(CALL_BYTES, self._letter_bytes)):
            try:
                failures += await self._send(call)
            except Unavailable:
                if not sent:
                    raise
                # What was sent before must not be sent again for the sake of the rest.
                failures += [
                    Failure(each.message_id, "Unavailable", permanent=False) for each in call
                ]
            else:
                sent = True
        return failures

    async def depth(self) -> QueueDepth:
        """See Queue."""
        request = {
            "QueueUrl": self.queue_url,
            "AttributeNames": [
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        }
        answer = await self._calls.call(
            "GetQueueAttributes", request, DepthAnswer, seconds=CALL_SECONDS
        )
        return QueueDepth(
            visible=answer.attributes.approximate_number_of_messages,
            in_flight=answer.attributes.approximate_number_of_messages_not_visible,
        )

    def _settle(
        self, operation: str, receipts: Sequence[Receipt], entries: Sequence[Entry]
    ) -> Awaitable[list[Failure]]:
        request = {"QueueUrl": self.queue_url, "Entries": entries}
        call = self._calls.call(operation, request, BatchAnswer, seconds=CALL_SECONDS)
        return Later(_settled, (receipts, call))

    async def _send(self, letters: list[Letter]) -> list[Failure]:
        entries = [_entry(n, each) for n, each in enumerate(letters)]
        request = {"QueueUrl": self.dead_letter_queue_url, "Entries": entries}
        answer = await self._calls.call(
            "SendMessageBatch", request, BatchAnswer, seconds=CALL_SECONDS
        )
        return _failures(letters, answer)


def _entry(number: int, letter: Letter) -> Mapping[str, Any]:
    return {
        "Id": str(number),
        "MessageBody": letter.body,
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": text}
            for name, (kind, text) in letter.attributes.items()
        },
    }


async def _settled(receipts: Sequence[Receipt], call: Awaitable[BatchAnswer]) -> list[Failure]:
    return _failures(receipts, await call) if receipts else []


def _failures(entries: Sequence[Receipt | Letter], answer: BatchAnswer) -> list[Failure]:
    """The entries that did not succeed; an entry's id is its place in `entries`.

    One that the answer does not mention did not succeed either: only what is confirmed counts.
    """
    succeeded = [each.id for each in answer.successful or ()]
    if not answer.failed and succeeded == _IDS[: len(entries)]:
        return []
    failed = {each.id: each for each in answer.failed or ()}
    failures = []
    for n, each in enumerate(entries):
        entry = failed.get(str(n))
        if entry is not None:
            failures.append(_failure(each.message_id, entry))
        elif str(n) not in succeeded:
            failures.append(Failure(each.message_id, "NotConfirmed", permanent=False))
    return failures


def _failure(message_id: str, entry: Failed) -> Failure:
    code = short_code(entry.code)
    return Failure(message_id, code, permanent=entry.sender_fault and code not in _MAY_PASS)

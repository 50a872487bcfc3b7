"""The `Queue` port over SQS."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ingestor.adapters.aws import THROTTLING, calling, client_config, make_session, making_clients
from ingestor.adapters.sqs.letters import CALL_BYTES, Letter, make_letters, split
from ingestor.adapters.sqs.setup import QueueSetupError, Setup, inspect
from ingestor.core.message import Message
from ingestor.ports import BATCH, DeadLetter, Failure, QueueDepth, Receipt, Unavailable

if TYPE_CHECKING:  # the stubs are not installed where the service runs
    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        ChangeMessageVisibilityBatchResultTypeDef,
        DeleteMessageBatchResultTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
        SendMessageBatchResultTypeDef,
    )

    BatchResult = (
        ChangeMessageVisibilityBatchResultTypeDef
        | DeleteMessageBatchResultTypeDef
        | SendMessageBatchResultTypeDef
    )

CONNECTIONS = 50
"""For everything but polls: more than the settlers and the lease keeper use at once."""
POLL_GRACE_SECONDS = 10.0
"""How much longer than its long poll a receive may take."""
LONGEST_VISIBILITY_SECONDS = 43_200

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
) -> AsyncIterator["SqsQueue"]:
    """A connection to a queue, checked, until the end of the block.

    Args:
        queue_url: Where messages come from.
        dead_letter_queue_url: Where dead letters go; None: where the redrive policy says.
        wait_seconds: How long one `receive` waits for messages, 0 to 20.
        pollers: How many receives there will be side by side.
        endpoint_url: Another address of SQS than the region's; None: as AWS_ENDPOINT_URL says.
        region_name: None: as AWS_REGION or AWS_DEFAULT_REGION says.

    Raises:
        QueueSetupError: the queues cannot be used as they are.
        Unavailable: SQS did not answer, or not to us.
    """
    polls_config = client_config(
        connections=pollers + 1, read_seconds=wait_seconds + POLL_GRACE_SECONDS
    )
    calls_config = client_config(connections=CONNECTIONS)
    async with AsyncExitStack() as stack:
        with making_clients("SQS", QueueSetupError):
            session = make_session(region_name)
            # Two pools, so that a pool full of long polls never delays a delete.
            polls = await stack.enter_async_context(
                session.client("sqs", config=polls_config, endpoint_url=endpoint_url)
            )
            calls = await stack.enter_async_context(
                session.client("sqs", config=calls_config, endpoint_url=endpoint_url)
            )
        setup = await inspect(
            calls, queue_url=queue_url, dead_letter_queue_url=dead_letter_queue_url
        )
        yield SqsQueue(
            polls=polls, calls=calls, queue_url=queue_url, setup=setup, wait_seconds=wait_seconds
        )


class SqsQueue:
    """A standard queue and its dead-letter queue. Made by `open_sqs`.

    `warnings` are sentences about how the queues are set up, for `ingestor check`.
    """

    def __init__(
        self,
        *,
        polls: "SQSClient",
        calls: "SQSClient",
        queue_url: str,
        setup: Setup,
        wait_seconds: int,
    ) -> None:
        self.visibility_timeout_seconds = setup.visibility_timeout_seconds
        self.queue_url = queue_url
        self.dead_letter_queue_url = setup.dead_letter_queue_url
        self.warnings = setup.warnings
        self._letter_bytes = setup.letter_bytes
        self._polls = polls
        self._calls = calls
        self._wait_seconds = wait_seconds

    def __repr__(self) -> str:
        return f"<SqsQueue {self.queue_url}>"

    async def receive(self) -> list[Message]:
        """See Queue."""
        seconds = self._wait_seconds + POLL_GRACE_SECONDS
        async with calling("SQS", "ReceiveMessage", seconds=seconds):
            answer = await self._polls.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=self._wait_seconds,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
            return [_message(each) for each in answer.get("Messages", [])]

    async def delete(self, receipts: Sequence[Receipt]) -> list[Failure]:
        """See Queue."""
        if not receipts:
            return []
        async with calling("SQS", "DeleteMessageBatch"):
            answer = await self._calls.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": each.receipt_handle}
                    for n, each in enumerate(receipts)
                ],
            )
            return _failures([each.message_id for each in receipts], answer)

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> list[Failure]:
        """See Queue. SQS counts whole seconds, at most 12 hours: less than asked rather than more.

        Under a second is one second, unless it is 0.
        """
        if not receipts:
            return []
        whole = min(int(seconds), LONGEST_VISIBILITY_SECONDS) or int(seconds > 0)
        async with calling("SQS", "ChangeMessageVisibilityBatch"):
            answer = await self._calls.change_message_visibility_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {
                        "Id": str(n),
                        "ReceiptHandle": each.receipt_handle,
                        "VisibilityTimeout": whole,
                    }
                    for n, each in enumerate(receipts)
                ],
            )
            return _failures([each.message_id for each in receipts], answer)

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> list[Failure]:
        """See Queue. A body too large beside its attributes is sent compressed.

        Message attributes: `stage`, `reason`, `detail`, `original_message_id`,
        `original_sent_at_ms`, and `encoding` (`gzip+base64`) where the body was compressed.
        """
        # In a thread, because a megabyte takes long to compress.
        made, failures = await asyncio.to_thread(make_letters, letters, self._letter_bytes)
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
        async with calling("SQS", "GetQueueAttributes"):
            answer = await self._calls.get_queue_attributes(
                QueueUrl=self.queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
            attributes = answer["Attributes"]
            return QueueDepth(
                visible=int(attributes["ApproximateNumberOfMessages"]),
                in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
            )

    async def _send(self, letters: list[Letter]) -> list[Failure]:
        async with calling("SQS", "SendMessageBatch"):
            answer = await self._calls.send_message_batch(
                QueueUrl=self.dead_letter_queue_url,
                Entries=[_entry(n, each) for n, each in enumerate(letters)],
            )
            return _failures([each.message_id for each in letters], answer)


def _message(received: "MessageTypeDef") -> Message:
    attributes = received["Attributes"]
    return Message(
        message_id=received["MessageId"],
        receipt_handle=received["ReceiptHandle"],
        body=received["Body"],
        sent_at_ms=int(attributes["SentTimestamp"]),
        receive_count=int(attributes["ApproximateReceiveCount"]),
    )


def _entry(number: int, letter: Letter) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": str(number),
        "MessageBody": letter.body,
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": text}
            for name, (kind, text) in letter.attributes.items()
        },
    }


def _failures(message_ids: list[str], answer: "BatchResult") -> list[Failure]:
    """The entries that did not succeed; an entry's id is its place in `message_ids`.

    One that the answer does not mention did not succeed either: only what is confirmed counts.
    """
    succeeded = {each["Id"] for each in answer.get("Successful", [])}
    failed = {each["Id"]: each for each in answer.get("Failed", [])}
    failures = []
    for n, message_id in enumerate(message_ids):
        entry = failed.get(str(n))
        if entry is not None:
            failures.append(_failure(message_id, entry))
        elif str(n) not in succeeded:
            failures.append(Failure(message_id, "NotConfirmed", permanent=False))
    return failures


def _failure(message_id: str, entry: "BatchResultErrorEntryTypeDef") -> Failure:
    code = entry["Code"].removeprefix("AWS.SimpleQueueService.")
    return Failure(message_id, code, permanent=entry["SenderFault"] and code not in _MAY_PASS)

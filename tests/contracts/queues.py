"""Each implementation of the `Queue` port, with what a test needs on its other side."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from contracts.emulators import Emulator, arn_of, client, make_queue, redrive_to, unique

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.memory import MemoryQueue
from ingestor.adapters.sqs import open_sqs
from ingestor.core.message import Message, Receipt
from ingestor.ports import Queue

PATIENCE_SECONDS = 30.0


@dataclass(slots=True, frozen=True)
class Letter:
    """What a person finds in the dead-letter queue."""

    body: str
    stage: str
    reason: str
    detail: str


@dataclass(slots=True, frozen=True)
class QueueUnderTest:
    """A queue, how to send to it, and how to read what it dead-lettered."""

    queue: Queue
    send: Callable[[str], Awaitable[str]]
    dead_letters: Callable[[], Awaitable[list[Letter]]]


class OpenQueue(Protocol):
    """Makes a fresh queue; its polls last `wait_seconds`."""

    def __call__(
        self, *, visibility_seconds: int = 30, wait_seconds: int = 1
    ) -> AbstractAsyncContextManager[QueueUnderTest]:
        """Use it within `async with`."""
        ...


@asynccontextmanager
async def memory_queue(
    *, visibility_seconds: int = 30, wait_seconds: int = 1
) -> AsyncIterator[QueueUnderTest]:
    """The shipped fake, on the machine's clock."""
    queue = MemoryQueue(
        clock=SystemClock(),
        visibility_timeout_seconds=visibility_seconds,
        wait_seconds=wait_seconds,
    )

    async def send(body: str) -> str:
        return queue.send(body)

    async def dead_letters() -> list[Letter]:
        return [
            Letter(
                each.message.body,
                each.rejection.stage,
                each.rejection.reason,
                each.rejection.detail,
            )
            for each in queue.dead_letters
        ]

    yield QueueUnderTest(queue, send, dead_letters)


def sqs_queue(emulator: Emulator, sqs_client: Literal["lean", "aioboto3"]) -> OpenQueue:
    """The SQS adapter in front of an emulator; the environment must hold credentials."""

    @asynccontextmanager
    async def opened(
        *, visibility_seconds: int = 30, wait_seconds: int = 1
    ) -> AsyncIterator[QueueUnderTest]:
        async with client(emulator, "sqs") as sqs:
            dead_url = await make_queue(sqs, unique("dead"))
            url = await make_queue(
                sqs,
                unique("readings"),
                VisibilityTimeout=visibility_seconds,
                RedrivePolicy=redrive_to(await arn_of(sqs, dead_url)),
            )

            async def send(body: str) -> str:
                answer = await sqs.send_message(QueueUrl=url, MessageBody=body)
                message_id: str = answer["MessageId"]
                return message_id

            async def dead_letters() -> list[Letter]:
                return [_letter(each) for each in await take_all(sqs, dead_url)]

            async with open_sqs(
                queue_url=url,
                dead_letter_queue_url=None,
                wait_seconds=wait_seconds,
                pollers=4,
                endpoint_url=emulator.url,
                region_name=emulator.region,
                client=sqs_client,
            ) as queue:
                yield QueueUnderTest(queue, send, dead_letters)

    return opened


async def take_all(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Receive until nothing is left, with all attributes."""
    taken: list[dict[str, Any]] = []
    while True:
        answer = await sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        if not answer.get("Messages"):
            return taken
        taken += answer["Messages"]


async def receive_all(queue: Queue, count: int) -> list[Message]:
    """Receive until so many different messages have come, each as it came last."""
    received: dict[str, Message] = {}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(received) < count:
            for message in await queue.receive():
                received[message.message_id] = message
    return list(received.values())


def receipt(message: Message) -> Receipt:
    """The right to settle a message, from its latest receive."""
    return Receipt(message.message_id, message.receipt_handle)


def _letter(message: dict[str, Any]) -> Letter:
    texts = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    return Letter(message["Body"], texts["stage"], texts["reason"], texts["detail"])

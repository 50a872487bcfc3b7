"""Straight into the queue, as the rule would put it there: ten messages a call."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
from botocore.credentials import Credentials

from ingestor.core.backoff import Backoff
from loadtest.devices.payloads import into_queue
from loadtest.fleet.desk import Desk
from loadtest.fleet.plan import Message
from loadtest.fleet.ways.signature import Signer

_BATCH = 10
_SENDERS = 32
_MS = 1_000
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True, frozen=True)
class Queue:
    """A queue and who may send to it; `endpoint` is where SQS answers."""

    url: str
    endpoint: str
    region: str
    credentials: Credentials


class Sqs:
    """Several calls of SendMessageBatch at once, over connections that are kept.

    Not by the client of botocore: it costs more than everything else that a fleet does.
    """

    def __init__(self, desk: Desk, queue: Queue, *, start_ms: int) -> None:
        self._desk = desk
        self._queue = queue
        self._start_ms = start_ms
        self._inbox: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._signer = Signer(
            queue.endpoint,
            "sqs",
            queue.region,
            "AmazonSQS.SendMessageBatch",
            queue.credentials,
        )
        self.connected = 0
        desk.senders = _SENDERS

    def put(self, messages: Sequence[Message]) -> None:
        """See Way."""
        self._inbox.extend(messages)
        self._filled.set()

    def storm(self) -> None:
        """See Way: a queue knows no connections."""

    async def ready(self) -> None:
        """See Way."""

    async def run(self) -> None:
        """See Way."""
        connector = aiohttp.TCPConnector(limit=_SENDERS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in range(_SENDERS):
                group.create_task(self._send(session), name=f"send-{number}")

    async def _send(self, session: aiohttp.ClientSession) -> None:
        backoff = Backoff(first_seconds=0.1, most_seconds=5.0)
        self.connected += 1
        while True:
            while not self._inbox:
                self._filled.clear()
                await self._filled.wait()
            batch = [self._inbox.popleft() for _ in range(min(_BATCH, len(self._inbox)))]
            self._desk.begin(batch)
            while batch:
                self._desk.waiting += 1
                try:
                    left = await self._call(session, batch)
                finally:
                    self._desk.waiting -= 1
                if left:
                    self._desk.progress.errors += len(left)
                    await asyncio.sleep(backoff.next_delay(random.random()))
                if len(left) < len(batch):
                    backoff.reset()
                    missed = {id(message) for message in left}
                    self._desk.done([each for each in batch if id(each) not in missed])
                batch = left

    async def _call(self, session: aiohttp.ClientSession, batch: list[Message]) -> list[Message]:
        """Send these once; what was not accepted."""
        entries = [
            {"Id": str(number), "MessageBody": self._body(message)}
            for number, message in enumerate(batch)
        ]
        body = _encode({"QueueUrl": self._queue.url, "Entries": entries})
        headers = self._signer.headers(body, datetime.now(UTC))
        try:
            async with session.post(
                self._queue.endpoint + "/", data=body, headers=headers
            ) as response:
                answer: dict[str, Any] = _decode(await response.read()) if response.ok else {}
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            return batch
        accepted = {entry["Id"] for entry in answer.get("Successful", ())}
        return [each for number, each in enumerate(batch) if str(number) not in accepted]

    def _body(self, message: Message) -> str:
        """The same for every attempt: a message that came twice must be the same twice."""
        device = message.device
        received_at = self._start_ms + int(message.due * _MS)
        return into_queue(
            message.payload, device.topic, received_at, is_json=device.kind.is_json
        ).decode()

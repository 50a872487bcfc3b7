"""Straight into the queue, as the rule would put it there: ten messages a call."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence

import aiohttp

from ingestor.core.backoff import Backoff
from loadtest.devices.payloads import into_queue
from loadtest.fleet.desk import Desk
from loadtest.fleet.plan import Message
from loadtest.sqs.sender import MOST_AT_ONCE, Queue, Sender

_SENDERS = 32
_MS = 1_000


class Sqs:
    """Several calls of SendMessageBatch at once, over connections that are kept."""

    def __init__(self, desk: Desk, queue: Queue, *, start_ms: int) -> None:
        self._desk = desk
        self._queue = queue
        self._start_ms = start_ms
        self._inbox: deque[Message] = deque()
        self._filled = asyncio.Event()
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
            aiohttp.ClientSession(connector=connector) as session,
            asyncio.TaskGroup() as group,
        ):
            sender = Sender(self._queue, session)
            for number in range(_SENDERS):
                group.create_task(self._send(sender), name=f"send-{number}")

    async def _send(self, sender: Sender) -> None:
        backoff = Backoff(first_seconds=0.1, most_seconds=5.0)
        self.connected += 1
        while True:
            while not self._inbox:
                self._filled.clear()
                await self._filled.wait()
            batch = [self._inbox.popleft() for _ in range(min(MOST_AT_ONCE, len(self._inbox)))]
            self._desk.begin(batch)
            while batch:
                self._desk.waiting += 1
                try:
                    missed = await sender.send([self._body(message) for message in batch])
                finally:
                    self._desk.waiting -= 1
                if missed:
                    self._desk.progress.errors += len(missed)
                    await asyncio.sleep(backoff.next_delay(random.random()))
                if len(missed) < len(batch):
                    backoff.reset()
                    self._desk.done([each for n, each in enumerate(batch) if n not in missed])
                batch = [batch[n] for n in missed]

    def _body(self, message: Message) -> str:
        """The same for every attempt: a message that came twice must be the same twice."""
        device = message.device
        received_at = self._start_ms + int(message.due * _MS)
        return into_queue(
            message.payload, device.topic, received_at, is_json=device.kind.is_json
        ).decode()

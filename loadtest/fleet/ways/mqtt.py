"""MQTT: a connection for each device up to some thousands, then devices share connections."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence

from ingestor.core.backoff import Backoff
from loadtest.fleet.desk import Desk
from loadtest.fleet.plan import Message
from loadtest.fleet.ways.dial import Dial, Publisher, Turns, opened
from loadtest.mqtt.line import LineError

MOST_CONNECTIONS = 2_000
"""More than this cost a process more than they show."""

_SHARED_WINDOW = 16
_SWEEP_SECONDS = 1.0


class Mqtt:
    """Publishes at QoS 1, each message on its device's topic.

    A device that has a connection of its own waits for each acknowledgement before its next
    message, so their order is kept; on a shared connection up to sixteen are under way.
    """

    def __init__(
        self, desk: Desk, dial: Dial, devices: int, *, most_connections: int = MOST_CONNECTIONS
    ) -> None:
        count = min(devices, most_connections)
        connecting = Turns(desk, dial.connects_per_second)
        window = 1 if count == devices else _SHARED_WINDOW
        self._connections = [
            _Connection(desk, dial, f"{dial.prefix}{number}", window, connecting)
            for number in range(count)
        ]
        desk.senders = count * window

    @property
    def connected(self) -> int:
        """See Way."""
        return sum(each.up.is_set() for each in self._connections)

    def put(self, messages: Sequence[Message]) -> None:
        """See Way."""
        count = len(self._connections)
        for message in messages:
            self._connections[message.device.number % count].put(message)

    def storm(self) -> None:
        """See Way."""
        for connection in self._connections:
            connection.drop()

    async def ready(self) -> None:
        """See Way: every device is connected."""
        for connection in self._connections:
            await connection.up.wait()

    async def run(self) -> None:
        """See Way."""
        async with asyncio.TaskGroup() as group:
            for connection in self._connections:
                group.create_task(connection.run(), name=connection.name)
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                now = time.monotonic()
                for connection in self._connections:
                    if connection.publisher is not None:
                        connection.publisher.sweep(now)


class _Connection:
    """One connection, opened again whenever it breaks; what was not acknowledged goes again."""

    def __init__(self, desk: Desk, dial: Dial, name: str, window: int, connecting: Turns) -> None:
        self.name = name
        self.up = asyncio.Event()
        self.publisher: Publisher | None = None
        self._desk = desk
        self._dial = dial
        self._window = window
        self._connecting = connecting
        self._inbox: deque[Message] = deque()
        self._again: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._life = 0
        self._allowed_at = 0.0

    def put(self, message: Message) -> None:
        """Take a message that is due."""
        self._inbox.append(message)
        self._filled.set()

    def drop(self) -> None:
        """Close the connection once what is under way is acknowledged, and open it again."""
        self._life += 1
        self._filled.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        backoff = Backoff(first_seconds=0.1, most_seconds=5.0)
        while True:
            try:
                async with opened(
                    self._dial,
                    self.name,
                    self._connecting,
                    window=self._window,
                    delayed=self._inbox,
                ) as publisher:
                    backoff.reset()
                    self.publisher = publisher
                    self.up.set()
                    await self._publish_all(publisher)
            except* LineError:
                self._desk.progress.errors += 1
                await asyncio.sleep(backoff.next_delay(random.random()))
            finally:
                self.publisher = None
                self.up.clear()

    async def _publish_all(self, publisher: Publisher) -> None:
        if self._window == 1:
            await self._publish(publisher, self._life)
            return
        async with asyncio.TaskGroup() as group:
            for number in range(self._window):
                group.create_task(
                    self._publish(publisher, self._life), name=f"{self.name}-{number}"
                )

    async def _publish(self, publisher: Publisher, life: int) -> None:
        while True:
            while not self._again and not self._inbox and life == self._life:
                self._filled.clear()
                await self._filled.wait()
            if life != self._life:
                return
            if self._again:
                message = self._again.popleft()
            else:
                message = self._inbox.popleft()
                await self._until_allowed(message)
                self._desk.begin((message,))
            self._desk.waiting += 1
            acknowledged = False
            try:
                await publisher.publish(message.device.topic, message.payload)
                acknowledged = True
            finally:
                self._desk.waiting -= 1
                if not acknowledged:
                    self._again.append(message)
            self._desk.done((message,))

    async def _until_allowed(self, message: Message) -> None:
        """Keep to what one connection may publish in a second."""
        most = self._dial.most_per_second
        if most is None:
            return
        now = self._desk.now
        self._allowed_at = max(now, self._allowed_at) + 1 / most
        delay = self._allowed_at - 1 / most - now
        if delay > 0:
            self._desk.throttled += self._desk.now - message.due < delay
            await asyncio.sleep(delay)

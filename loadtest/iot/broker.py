"""Takes connections of publishers, applies the rules, acknowledges what the queue has taken."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from ingestor.core.backoff import Backoff
from loadtest.iot.rules import Rule, RuleError, error_body
from loadtest.mqtt import packets
from loadtest.sqs.sender import MOST_AT_ONCE, Sender

SWEEP_SECONDS = 1.0
"""How often silent connections are looked for."""
MOST_UNACKNOWLEDGED = 100
"""Of one connection, as with AWS IoT Core; no more is read from it meanwhile."""

_SENDERS = 4
_GATHER_SECONDS = 0.005
"""How long a call waits for more messages: one for each is what AWS does, and all that we do."""
_GRACE = 1.5
"""Of its keep-alive time a client may be silent, says the standard."""
_TOPICS = 100_000
_MS = 1_000


@dataclass(slots=True)
class _Passed:
    """A message on its way to the queue; its publisher waits for the acknowledgement."""

    body: str
    number: int
    connection: "Connection"


class Outlet:
    """Brings messages into one queue, again and again until it has taken them."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._waiting: deque[_Passed] = deque()
        self._filled = asyncio.Event()

    def put(self, passed: _Passed) -> None:
        """Take a message over."""
        self._waiting.append(passed)
        self._filled.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for n in range(_SENDERS):
                group.create_task(self._send(), name=f"outlet-{n}")

    async def _send(self) -> None:
        backoff = Backoff(first_seconds=0.05, most_seconds=5.0)
        while True:
            await self._filled.wait()
            if len(self._waiting) < MOST_AT_ONCE:
                await asyncio.sleep(_GATHER_SECONDS)
            batch = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            if not self._waiting:
                self._filled.clear()
            while batch:
                missed = await self._sender.send([each.body for each in batch])
                for n, each in enumerate(batch):
                    if n not in missed:
                        each.connection.taken(each.number)
                batch = [batch[n] for n in missed]
                if batch:
                    await asyncio.sleep(backoff.next_delay(random.random()))
                else:
                    backoff.reset()


class Broker:
    """All connections. What rules select goes to `queue`, what they cannot read to `errors`."""

    def __init__(
        self,
        rules: Sequence[Rule],
        queue: Outlet,
        errors: Outlet,
        *,
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._sweep_seconds = sweep_seconds
        self._rules = rules
        self._queue = queue
        self._errors = errors
        self._clients: dict[str, Connection] = {}
        self.rules_of = lru_cache(_TOPICS)(self._rules_of)

    def publish(self, message: packets.Publish, connection: "Connection") -> int:
        """Hand a message to every rule that takes it; how many there are."""
        now_ms = int(time.time() * _MS)
        rules = self.rules_of(message.topic)
        for rule in rules:
            outlet = self._queue
            try:
                body = rule.body(message.topic, message.payload, now_ms)
            except RuleError as exc:
                outlet = self._errors
                body = error_body(message.topic, message.payload, str(exc))
            outlet.put(_Passed(body, message.number, connection))
        return len(rules)

    def enter(self, client: str, connection: "Connection") -> None:
        """A client is there; an older connection of it ends, as the standard wants it."""
        older = self._clients.get(client)
        self._clients[client] = connection
        if older is not None:
            older.close()

    def leave(self, client: str, connection: "Connection") -> None:
        """A connection has ended."""
        if self._clients.get(client) is connection:
            del self._clients[client]

    async def run(self) -> None:
        """Send what comes, and close connections that have been silent for too long."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run(), name="queue")
            group.create_task(self._errors.run(), name="errors")
            while True:
                await asyncio.sleep(self._sweep_seconds)
                now = time.monotonic()
                for connection in list(self._clients.values()):
                    connection.sweep(now)

    def _rules_of(self, topic: str) -> list[Rule]:
        return [rule for rule in self._rules if rule.takes(topic)]


class Connection(asyncio.Protocol):
    """One connection of a publisher. `held` messages of it are not in the queue yet."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._packets = packets.Packets()
        self._client: str | None = None
        self._silent_until = float("inf")
        self._keep_alive_seconds = 0.0
        self._owed: dict[int, int] = {}
        self.held = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        del exc
        self._transport = None
        if self._client is not None:
            self._broker.leave(self._client, self)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            for packet in self._packets.feed(data):
                self._take(packet)
        except packets.ProtocolError:
            self.close()
        if self._keep_alive_seconds:
            self._silent_until = time.monotonic() + _GRACE * self._keep_alive_seconds

    def taken(self, number: int) -> None:
        """The queue has a message now; it is acknowledged once every rule's copy is there."""
        self.held -= 1
        self._owed[number] -= 1
        if not self._owed[number]:
            del self._owed[number]
            if number:
                self._answer(packets.puback(number))
        if self._transport is not None and self.held < MOST_UNACKNOWLEDGED:
            self._transport.resume_reading()

    def sweep(self, now: float) -> None:
        """Close it when its client has been silent for too long."""
        if now > self._silent_until:
            self.close()

    def close(self) -> None:
        """End it."""
        if self._transport is not None:
            self._transport.close()

    def _take(self, packet: packets.Packet) -> None:
        if self._transport is None:
            return
        if (self._client is None) != isinstance(packet, packets.Connect):
            raise packets.ProtocolError("CONNECT comes first, and once")
        match packet:
            case packets.Connect(client, keep_alive_seconds):
                self._client = client
                self._keep_alive_seconds = keep_alive_seconds
                self._broker.enter(client, self)
                self._answer(packets.connack())
            case packets.Publish(_, _, number):
                copies = self._broker.publish(packet, self)
                self.held += copies
                if copies:
                    self._owed[number] = self._owed.get(number, 0) + copies
                elif number:
                    self._answer(packets.puback(number))
                if self.held >= MOST_UNACKNOWLEDGED:
                    self._transport.pause_reading()
            case packets.Ping():
                self._answer(packets.PINGRESP)
            case packets.Disconnect():
                self.close()
            case _:
                raise packets.ProtocolError("a packet that brokers send")

    def _answer(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.write(packet)

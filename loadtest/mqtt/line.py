"""One connection of a publisher, as cheap as can be: for its sake there is no library between.

A message costs a tenth of what it costs with paho and a task's wait with a time limit.
"""

import asyncio
import ssl
import time
from typing import Self, cast

from loadtest.mqtt import packets

KEEP_ALIVE_SECONDS = 60

_MOST_NUMBER = 65_535
_PING_SECONDS = KEEP_ALIVE_SECONDS / 2


class LineError(Exception):
    """The connection is not there, or no more; the text says why."""


class Line(asyncio.Protocol):
    """An open connection.

    What was not acknowledged within `patience_seconds` ends it; `sweep` has to be called about
    every second for that, and for the sign of life that brokers want.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._packets = packets.Packets()
        self._transport: asyncio.Transport | None = None
        self._number = 0
        self._waiting: dict[int, tuple[float, asyncio.Future[None]]] = {}
        self._said_at = 0.0
        self._pinged_at: float | None = None

    @classmethod
    async def open(
        cls, host: str, port: int, client: str, *, tls: ssl.SSLContext | None,
        patience_seconds: float,
    ) -> Self:  # fmt: skip
        """Connect under a name; LineError when that is not possible."""
        loop = asyncio.get_running_loop()
        line: Self | None = None
        try:
            async with asyncio.timeout(patience_seconds):
                _, line = await loop.create_connection(
                    lambda: cls(patience_seconds=patience_seconds), host, port, ssl=tls
                )
                await line.introduce(client)
        except (OSError, TimeoutError) as exc:
            if line is not None:
                line.abort()
            raise LineError(f"no connection to {host}:{port}: {exc!r}") from exc
        return line

    async def introduce(self, client: str) -> None:
        """Say who is connected, and wait for the broker's answer; LineError when it is no."""
        self._say(packets.connect(client, KEEP_ALIVE_SECONDS))
        await self._accepted

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Send a message; done when it was acknowledged, LineError when the line breaks before."""
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number = self._number % _MOST_NUMBER + 1
        self._waiting[self._number] = time.monotonic(), acknowledged
        self._say(packets.publish(topic, payload, self._number))
        return acknowledged

    def sweep(self, now: float) -> None:
        """Break a line that has been silent for too long, and keep a quiet one alive."""
        since = [] if self._pinged_at is None else [self._pinged_at]
        # Dictionaries keep the order of insertion: the first has waited longest.
        since += [at for at, _ in [*self._waiting.values()][:1]]
        if since and now - min(since) > self._patience_seconds:
            self.abort()
        elif now - self._said_at > _PING_SECONDS and self._pinged_at is None:
            self._pinged_at = now
            self._say(packets.PINGREQ)

    def close(self) -> None:
        """Say goodbye and end it."""
        if self._transport is not None:
            self._say(packets.DISCONNECT)
            self._transport.close()

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._transport = None
        error = LineError(f"the connection is lost: {exc!r}")
        waiting = [future for _, future in self._waiting.values()]
        self._waiting.clear()
        for future in (self._accepted, *waiting):
            if not future.done():
                future.set_exception(error)
                future.exception()  # whether anybody waits for it or not

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            for packet in self._packets.feed(data):
                self._take(packet)
        except packets.ProtocolError:
            self.abort()

    def _take(self, packet: packets.Packet) -> None:
        match packet:
            case packets.Puback(number):
                _, acknowledged = self._waiting.pop(number, (0.0, None))
                if acknowledged is not None and not acknowledged.done():
                    acknowledged.set_result(None)
            case packets.Connack(0):
                if not self._accepted.done():
                    self._accepted.set_result(None)
            case packets.Pong():
                self._pinged_at = None
            case _:
                self.abort()

    def _say(self, packet: bytes) -> None:
        if self._transport is None:
            raise LineError("the connection is lost")
        self._said_at = time.monotonic()
        self._transport.write(packet)

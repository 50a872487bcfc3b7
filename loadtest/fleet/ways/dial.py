"""How devices reach a broker: over lines of our own, or by aiomqtt where it is a WebSocket."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping, Sized
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import aiomqtt

from loadtest.fleet.desk import Desk
from loadtest.mqtt.line import Line, LineError

ACKNOWLEDGE_SECONDS = 20.0
"""So long a broker may take for an acknowledgement, before the connection is opened anew."""

_CONNECTING_AT_ONCE = 20


@dataclass(slots=True, frozen=True)
class Dial:
    """How to reach a broker: plain, by TLS when `tls` is given, or over WebSocket.

    `most_per_second` is what one connection may publish, `connects_per_second` how many of them may
    be opened, None is any number. Clients are named by `prefix` and number.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_headers: Mapping[str, str] | None = None
    most_per_second: float | None = None
    connects_per_second: float | None = None
    prefix: str = "device-"


class Publisher(Protocol):
    """An open connection."""

    def publish(self, topic: str, payload: bytes) -> Awaitable[None]:
        """Send a message and wait until it is acknowledged; LineError when the line breaks."""
        ...

    def sweep(self, now: float) -> None:
        """To be called every second, with the monotonic time."""
        ...


class Turns:
    """Lets only so many connect at once, and only so many in a second."""

    def __init__(self, desk: Desk, most_per_second: float | None) -> None:
        self._desk = desk
        self._seconds_each = 1 / most_per_second if most_per_second else 0.0
        self._at_once = asyncio.Semaphore(_CONNECTING_AT_ONCE)
        self._next_at = 0.0

    @asynccontextmanager
    async def turn(self, delayed: Sized) -> AsyncIterator[None]:
        """Wait for it; messages that are `delayed` by the rate are so by the limit."""
        async with self._at_once:
            now = asyncio.get_running_loop().time()
            self._next_at = max(now, self._next_at) + self._seconds_each
            wait = self._next_at - self._seconds_each - now
            if wait > 0:
                await asyncio.sleep(wait)
                self._desk.throttled += len(delayed)
            yield


@asynccontextmanager
async def opened(
    dial: Dial, client: str, turns: Turns, *, window: int, delayed: Sized
) -> AsyncIterator[Publisher]:
    """Connect under a name when it is time; at most `window` messages are under way.

    Raises LineError when that is not possible.
    """
    async with AsyncExitStack() as closing:
        async with turns.turn(delayed):
            publisher: Publisher
            if dial.transport == "tcp":
                line = await Line.open(
                    dial.host, dial.port, client, tls=dial.tls, patience_seconds=ACKNOWLEDGE_SECONDS
                )
                closing.callback(line.close)
                publisher = line
            else:
                publisher = await closing.enter_async_context(_websocket(dial, client, window))
        yield publisher


@asynccontextmanager
async def _websocket(dial: Dial, client: str, window: int) -> AsyncIterator["_Aiomqtt"]:
    try:
        async with aiomqtt.Client(
            dial.host,
            dial.port,
            identifier=client,
            timeout=ACKNOWLEDGE_SECONDS,
            max_queued_incoming_messages=1,
            max_inflight_messages=window,
            transport="websockets",
            tls_context=dial.tls,
            websocket_path="/mqtt",
            websocket_headers=dict(dial.websocket_headers or {}),
        ) as connected:
            yield _Aiomqtt(connected)
    except aiomqtt.MqttError as exc:
        raise LineError(str(exc)) from exc


class _Aiomqtt:
    """aiomqtt, which sees to its deadlines and signs of life itself."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def publish(self, topic: str, payload: bytes) -> None:
        """See Publisher."""
        try:
            await self._client.publish(topic, payload, qos=1)
        except aiomqtt.MqttError as exc:
            raise LineError(str(exc)) from exc

    def sweep(self, now: float) -> None:
        """See Publisher."""

"""The fleet: many devices, each with a connection of its own to the broker."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiomqtt

from ingestor.core.backoff import Backoff
from loadtest.devices import Device, Reading
from loadtest.ledger.tracker import Tracker

_ACKNOWLEDGE_SECONDS = 5.0
_CONNECTING_AT_ONCE = 20
_CATCH_UP = 3
_LOOK_SECONDS = 0.1


@dataclass(slots=True, frozen=True)
class Broker:
    """Where devices connect, by MQTT over WebSocket; `name` is the Host header that it asks for."""

    host: str
    port: int
    name: str


class Fleet:
    """Publishes a message per device and interval at QoS 1, and tells the tracker of all of it.

    A device waits for each acknowledgement before its next reading. When its connection fails it
    connects again, backing off, and publishes once more what was not acknowledged. With
    `most_outstanding` it also waits while so many readings of the fleet have not been seen in
    InfluxDB.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        broker: Broker,
        tracker: Tracker,
        *,
        interval_seconds: float = 1.0,
        most_outstanding: int | None = None,
    ) -> None:
        self.connected = 0
        self.reconnects = 0
        self._devices = devices
        self._broker = broker
        self._tracker = tracker
        self._interval_seconds = interval_seconds
        self._most_outstanding = most_outstanding
        self._connecting = asyncio.Semaphore(_CONNECTING_AT_ONCE)

    def __repr__(self) -> str:
        return f"<Fleet {self.connected} of {len(self._devices)} connected>"

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set; what was begun then still gets its acknowledgement."""
        start = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for device in self._devices:
                group.create_task(self._live(device, start, stop), name=device.name)

    async def _live(self, device: Device, start: float, stop: asyncio.Event) -> None:
        backoff = Backoff(first_seconds=0.1, most_seconds=5.0)
        due = start + device.phase * self._interval_seconds
        readings: list[Reading] = []
        while not stop.is_set():
            try:
                async with AsyncExitStack() as connection:
                    client = await self._connect(device, connection)
                    backoff.reset()
                    while readings or await self._may_publish(due, stop):
                        readings = readings or device.take(time.time())
                        await self._publish(client, device, readings)
                        readings = []
                        now = asyncio.get_running_loop().time()
                        # A short stall is caught up, so that the rate holds; a long one is not,
                        # so that the whole fleet does not come back with a flood.
                        due = max(due, now - _CATCH_UP * self._interval_seconds)
                        due += self._interval_seconds
            except aiomqtt.MqttError:
                self.reconnects += 1
                delay = backoff.next_delay(random.random())
                await _reached(asyncio.get_running_loop().time() + delay, stop)

    async def _may_publish(self, due: float, stop: asyncio.Event) -> bool:
        """Wait for the moment, and for the rest of the way to keep up; False at the stop."""
        loop = asyncio.get_running_loop()
        most = self._most_outstanding
        while await _reached(due, stop):
            if most is None or len(self._tracker.outstanding) < most:
                return True
            due = loop.time() + _LOOK_SECONDS
        return False

    async def _connect(self, device: Device, connection: AsyncExitStack) -> aiomqtt.Client:
        async with self._connecting:
            client = await connection.enter_async_context(
                aiomqtt.Client(
                    self._broker.host,
                    self._broker.port,
                    identifier=device.name,
                    timeout=_ACKNOWLEDGE_SECONDS,
                    max_queued_incoming_messages=1,
                    transport="websockets",
                    websocket_path="/mqtt",
                    websocket_headers={"Host": self._broker.name},
                )
            )
        self.connected += 1
        connection.callback(self._disconnected)
        return client

    def _disconnected(self) -> None:
        self.connected -= 1

    async def _publish(
        self, client: aiomqtt.Client, device: Device, readings: Sequence[Reading]
    ) -> None:
        self._tracker.publish(device, readings, time.monotonic())
        await client.publish(device.topic, device.message(readings), qos=1)
        self._tracker.acknowledge(readings)


async def _reached(moment: float, stop: asyncio.Event) -> bool:
    """Wait for a moment of the loop's clock; False as soon as `stop` is set."""
    try:
        async with asyncio.timeout_at(moment):
            await stop.wait()
    except TimeoutError:
        return True
    return False

"""Row 53: the broker of the devices is killed, and forgets them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiomqtt
import pytest
from service.conftest import PATIENCE_SECONDS

from loadtest.devices import TOPIC, Device, Reading, make_devices
from loadtest.fleet import Broker, Fleet
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS
from loadtest.servers import MiniStack

pytestmark = pytest.mark.servers

DEVICES = 10


@asynccontextmanager
async def watching(broker: Broker, tracker: Tracker) -> AsyncIterator[None]:
    """Within the block the tracker sees all that the broker hands on."""
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        identifier="watcher",
        transport="websockets",
        websocket_path="/mqtt",
        websocket_headers={"Host": broker.name},
    ) as client:
        await client.subscribe(TOPIC, qos=1)

        async def see() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                said = json.loads(message.payload)
                sensor = said["deviceid"] + said["clientid"]
                tracker.see([{"sensorID": sensor, "sequence": said["sequence"]}], 0.0)

        task = asyncio.create_task(see(), name="see")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Remembering(Tracker):
    """Also knows what was published and seen."""

    def __init__(self, devices: Sequence[Device]) -> None:
        super().__init__(devices)
        self.all: set[tuple[str, int]] = set()

    def publish(self, device: Device, readings: Sequence[Reading], now: float) -> None:
        """See Tracker."""
        super().publish(device, readings, now)
        self.all |= {each.identity for each in readings}


async def test_f53_broker_killed() -> None:
    """Devices come back by themselves, have piled up one message each, and lose none of them."""
    stop, tracker = asyncio.Event(), Remembering(())
    async with MiniStack() as server, asyncio.timeout(PATIENCE_SECONDS):
        broker = Broker("127.0.0.1", server.port, server.mqtt_host)
        devices = make_devices(DEVICES, RECORDS, seed=1)
        fleet = Fleet(devices, broker, tracker, interval_seconds=0.2)
        running = asyncio.create_task(fleet.run(stop), name="fleet")

        async def until_acknowledged(count: int) -> None:
            while tracker.acknowledged < count:  # noqa: ASYNC110 - the tracker sets no event
                await asyncio.sleep(0.02)

        await until_acknowledged(3 * DEVICES)
        await server.kill()
        while fleet.connected or fleet.reconnects < 3 * DEVICES:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        assert tracker.published - tracker.acknowledged <= DEVICES

        await server.restart()
        async with watching(broker, tracker):
            # The broker has forgotten who listened: what came before is not seen.
            before, published = set(tracker.outstanding), tracker.published
            await until_acknowledged(published + 5 * DEVICES)
            while fleet.connected < DEVICES:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
            stop.set()
            await running
            while tracker.outstanding.keys() - before:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    assert tracker.published == tracker.acknowledged
    for device in devices:
        numbers = sorted(n for sensor, n in tracker.all if sensor == device.sensor)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 3
    assert not (tracker.outstanding.keys() - before)

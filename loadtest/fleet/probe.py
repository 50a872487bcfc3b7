"""The lag until a reading can be read, measured on a sample of the devices."""

import asyncio
import json
import time
from collections.abc import Sequence

from loadtest.devices.routes import DEVICE_TAG
from loadtest.devices.simulated import SimulatedDevice
from loadtest.durations import Histogram
from loadtest.fleet.plan import STORED, Message
from loadtest.servers import Influxd
from loadtest.watch import POLL_SECONDS, ask

MOST_DEVICES = 50
"""To ask for every device's readings would be load of its own."""

_MOST_OF_THE_TIME = 4
_GIVE_UP_SECONDS = 120.0
_MS = 1_000


class Probe:
    """Asks InfluxDB again and again for the latest readings of some devices.

    A lag counts from the moment when a message was due until a query returned its point: an upper
    bound, too long by up to the time between two queries.
    """

    def __init__(self, influxd: Influxd, devices: Sequence[SimulatedDevice]) -> None:
        step = max(1, len(devices) // MOST_DEVICES)
        self._influxd = influxd
        chosen = devices[::step][:MOST_DEVICES]
        self._numbers = {device.number for device in chosen}
        measurements = sorted({json.dumps(device.kind.measurement) for device in chosen})
        sensors = " OR ".join(f"\"{DEVICE_TAG}\" = '{device.sensor}'" for device in chosen)
        self._query = (
            f'SELECT "sequence", "{DEVICE_TAG}" FROM {", ".join(measurements)} WHERE ({sensors})'  # noqa: S608 - InfluxQL of our own names
        )
        self._outstanding: dict[tuple[str, int], tuple[float, int]] = {}
        self.total = Histogram()
        self._window = Histogram()

    def note(self, messages: Sequence[Message], now_due: float) -> None:
        """These are handed over; `now_due` is the present moment in seconds of the plan."""
        start = time.monotonic() - now_due
        for message in messages:
            if message.sample.device in self._numbers and message.expected == STORED:
                key = message.device.sensor, message.sample.sequence
                self._outstanding.setdefault(key, (start + message.due, message.sample.time_ms))

    def take_window(self) -> Histogram:
        """The lags since this was last asked."""
        window, self._window = self._window, Histogram()
        return window

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            before = time.monotonic()
            await self.look()
            seconds = time.monotonic() - before
            await asyncio.sleep(max(POLL_SECONDS - seconds, seconds * _MOST_OF_THE_TIME))

    async def look(self) -> None:
        """Ask once."""
        oldest = min((time_ms for _, time_ms in self._outstanding.values()), default=None)
        if oldest is None:
            return
        rows = await ask(self._influxd, f"{self._query} AND time >= {oldest // _MS}s")
        now = time.monotonic()
        for row in rows:
            seen = self._outstanding.pop((row[DEVICE_TAG], row["sequence"]), None)
            if seen is not None:
                for lags in (self.total, self._window):
                    lags.add(now - seen[0])
        # What never comes is for the comparison to name, and must not be asked for for ever.
        for key, (since, _) in list(self._outstanding.items()):
            if now - since > _GIVE_UP_SECONDS:
                del self._outstanding[key]

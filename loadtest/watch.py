"""Asks InfluxDB again and again what it holds, while a run goes on."""

import asyncio
import time
from typing import Any

import aiohttp

from loadtest.ledger.tracker import Tracker
from loadtest.mapping import MEASUREMENT
from loadtest.servers import Influxd, ServerError

POLL_SECONDS = 0.2
"""How often the watch asks, hence how much later than stored a point may be seen."""

OWN_MEASUREMENTS = frozenset({"ingestor", "ingestor_rejected"})
"""What the service writes about itself; everything else is a reading, or should not be there."""

_MOST_OF_THE_TIME = 4


class Watch:
    """Sees points as soon as a query returns them, and tells the tracker.

    This measures the whole way, from a device's first attempt to publish until anybody can read
    the point, without asking the service. It is an upper bound: up to POLL_SECONDS too long, or
    longer where the queries themselves take long, because the watch never works more than a fifth
    of the time.
    """

    def __init__(self, influxd: Influxd, tracker: Tracker) -> None:
        self._influxd = influxd
        self._tracker = tracker

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            before = time.monotonic()
            await self.look()
            seconds = time.monotonic() - before
            await asyncio.sleep(max(POLL_SECONDS - seconds, seconds * _MOST_OF_THE_TIME))

    async def look(self) -> None:
        """Ask once for everything that is still outstanding."""
        since = self._tracker.oldest_outstanding_second
        if since is None:
            return
        rows = await ask(
            self._influxd,
            f'SELECT "sequence", "sensorID" FROM "{MEASUREMENT}" WHERE time >= {since}s',  # noqa: S608 - InfluxQL of our own numbers
        )
        self._tracker.see(rows, time.monotonic())


async def ask(influxd: Influxd, query: str) -> list[dict[str, Any]]:
    """The rows of a query; ServerError when there is no answer."""
    try:
        return await influxd.query_influxql(query)
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise ServerError(f"influxd does not answer a query: {exc}") from exc

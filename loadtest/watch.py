"""Asks InfluxDB what it holds: again and again while a run goes on, and in full at its end."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise
from typing import Any

import aiohttp

from loadtest.ledger import Ledger
from loadtest.mapping import MEASUREMENT
from loadtest.servers import Influxd, ServerError

POLL_SECONDS = 0.2
"""How often the watch asks, hence how much later than stored a point may be seen."""

OWN_MEASUREMENTS = frozenset({"ingestor", "ingestor_rejected"})
"""What the service writes about itself; everything else is a reading, or should not be there."""

_MOST_OF_THE_TIME = 4
_ROWS_AT_ONCE = 10_000


class Watch:
    """Sees points as soon as a query returns them, and tells the ledger.

    This measures the whole way, from a device's first attempt to publish until anybody can read
    the point, without asking the service. It is an upper bound: up to POLL_SECONDS too long, or
    longer where the queries themselves take long, because the watch never works more than a fifth
    of the time.
    """

    def __init__(self, influxd: Influxd, ledger: Ledger) -> None:
        self._influxd = influxd
        self._ledger = ledger

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            before = time.monotonic()
            await self.look()
            seconds = time.monotonic() - before
            await asyncio.sleep(max(POLL_SECONDS - seconds, seconds * _MOST_OF_THE_TIME))

    async def look(self) -> None:
        """Ask once for everything that is still outstanding."""
        since = self._ledger.oldest_outstanding_second
        if since is None:
            return
        rows = await ask(
            self._influxd,
            f'SELECT "sequence", "sensorID" FROM "{MEASUREMENT}" WHERE time >= {since}s',  # noqa: S608 - InfluxQL of our own numbers
        )
        self._ledger.see(rows, time.monotonic())


async def read_back(influxd: Influxd, ledger: Ledger) -> AsyncIterator[list[dict[str, Any]]]:
    """Every point but the service's own figures, in portions of about ten thousand."""
    rows = await ask(influxd, "SHOW MEASUREMENTS")
    names = [json.dumps(row["name"]) for row in rows if row["name"] not in OWN_MEASUREMENTS]
    measurements = ", ".join(names)
    if not names:
        return
    seconds = Counter(entry.reading.second for entry in ledger.entries.values())
    bounds = slice_bounds(seconds.elements(), _ROWS_AT_ONCE)
    conditions = [
        f"time < {bounds[0]}s",
        *(f"time >= {a}s AND time < {b}s" for a, b in pairwise(bounds)),
        f"time >= {bounds[-1]}s",
    ]
    for condition in conditions:
        yield await ask(influxd, f"SELECT * FROM {measurements} WHERE {condition}")  # noqa: S608 - as above


def slice_bounds(seconds: Iterable[int], rows: int) -> list[int]:
    """Times that cut the seconds of all readings into slices of about `rows` readings each.

    At least one; what lies before the first and after the last makes a slice too.
    """
    bounds: list[int] = []
    counted = 0
    for second in sorted(seconds):
        if not bounds or (counted >= rows and second != bounds[-1]):
            bounds.append(second)
            counted = 0
        counted += 1
    return bounds or [0]


async def ask(influxd: Influxd, query: str) -> list[dict[str, Any]]:
    """The rows of a query; ServerError when there is no answer."""
    try:
        return await influxd.query_influxql(query)
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise ServerError(f"influxd does not answer a query: {exc}") from exc

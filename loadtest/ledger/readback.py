"""Everything that InfluxDB holds, in portions that follow the ledger."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise
from typing import Any

from loadtest.devices.routes import DEVICE_TAG
from loadtest.ledger.book import Book
from loadtest.ledger.compare import Comparison, Subject, Verdict
from loadtest.servers import Influxd
from loadtest.watch import OWN_MEASUREMENTS, ask

_ROWS_AT_ONCE = 10_000


async def read_points(
    influxd: Influxd, seconds: Iterable[tuple[int, int]]
) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Every point but the service's own figures, with its measurement, some thousands at a time.

    `seconds` says how many readings of each second there are, in order: portions are cut by it.
    """
    names = [row["name"] for row in await ask(influxd, "SHOW MEASUREMENTS")]
    conditions = slice_conditions(seconds, _ROWS_AT_ONCE)
    for name in names:
        if name in OWN_MEASUREMENTS:
            continue
        for condition in conditions:
            query = f"SELECT * FROM {json.dumps(name)} WHERE {condition}"  # noqa: S608 - InfluxQL of our own numbers
            if rows := await ask(influxd, query):
                yield name, rows


def slice_conditions(seconds: Iterable[tuple[int, int]], rows: int) -> list[str]:
    """Conditions that cut all time into slices of about so many readings each."""
    bounds: list[int] = []
    counted = 0
    for second, count in seconds:
        if not bounds or counted >= rows:
            bounds.append(second)
            counted = 0
        counted += count
    bounds = bounds or [0]
    return [
        f"time < {bounds[0]}s",
        *(f"time >= {a}s AND time < {b}s" for a, b in pairwise(bounds)),
        f"time >= {bounds[-1]}s",
    ]


async def compare(
    book: Book,
    devices: Sequence[Subject],
    influxd: Influxd,
    letters: Iterable[tuple[str, str]],
    *,
    but: str = "",
) -> Verdict:
    """Compare a ledger with all that InfluxDB holds, and with dead letters and their reasons.

    Points of the sensor `but` are none of the run's.
    """
    comparison = Comparison(book, devices)
    async for measurement, rows in read_points(influxd, book.seconds()):
        comparison.add_points(measurement, (row for row in rows if row.get(DEVICE_TAG) != but))
    comparison.add_letters(letters)
    return comparison.verdict()

"""Readings as a file."""

import csv
import io
from datetime import UTC, datetime

from aiohttp import web

from ingestor.console.calls import Call
from ingestor.console.devices import Devices
from ingestor.console.operations import CSV
from ingestor.console_ports import Point

MOST_READINGS = 50_000


async def readings_csv(devices: Devices, call: Call) -> web.Response:
    """Every reading of a range, oldest first: `time` in UTC to the nanosecond, then the fields."""
    points = await devices.points(call, MOST_READINGS + 1)
    headers = {"Content-Disposition": 'attachment; filename="readings.csv"'}
    if len(points) > MOST_READINGS:
        headers["X-Truncated"] = "true"
    names = sorted({name for point in points for name in point.fields})
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["time", *names])
    for point in points[:MOST_READINGS]:
        rows.writerow([_time(point), *(point.fields.get(name, "") for name in names)])
    return web.Response(text=out.getvalue(), content_type=CSV, charset="utf-8", headers=headers)


def _time(point: Point) -> str:
    seconds, nanoseconds = divmod(point.time_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"

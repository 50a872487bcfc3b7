"""Readings as a file, and as line protocol."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web

from ingestor.console.operations import CSV
from ingestor.console_ports import Point, Value
from ingestor.core.prefix import escape_measurement, escape_name
from ingestor.core.scalars import float_text, string_text

MOST_READINGS = 50_000


def readings_csv(points: Sequence[Point]) -> web.Response:
    """Readings, oldest first: `time` in UTC to the nanosecond, then the fields."""
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


def line_of(point: Point) -> str:
    """A reading with the tags that are known of it."""
    series = escape_measurement(point.measurement) + "".join(
        f",{escape_name(name)}={escape_name(value)}" for name, value in point.tags.items() if value
    )
    values = ",".join(
        f"{escape_name(name)}={_text(value)}" for name, value in sorted(point.fields.items())
    )
    return f"{series} {values} {point.time_ns}"


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i"
        case float():
            return float_text(value)
        case str():
            return string_text(value)

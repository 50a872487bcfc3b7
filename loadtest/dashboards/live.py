"""A short run of the whole way, so that every dashboard has something to show."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadtest.dashboards.boards import EVERYTHING, Surroundings
from loadtest.dashboards.names import Schema
from loadtest.devices import make_devices
from loadtest.fleet import Fleet
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS
from loadtest.servers import Influxd
from loadtest.service import Service
from loadtest.stack import Backlog, open_stack
from loadtest.toolchain import Api, FoundInfluxd

INTERVAL_SECONDS = 2
_DRAIN_SECONDS = 30.0
_POLL_SECONDS = 0.1


@asynccontextmanager
async def filled_influxd(
    found: FoundInfluxd, *, seconds: float, devices: int
) -> AsyncIterator[Influxd]:
    """An InfluxDB that devices and service have filled for so long, the service's figures too."""
    api: Api = "v2" if "v2" in found.apis else "v1"
    async with open_stack(found, api) as stack:
        variables = {"INGESTOR_SELF_REPORT_SECONDS": "1", "INGESTOR_TASK_ID": "ingestor-1"}
        async with Service(stack.environment() | variables) as service:
            stop = asyncio.Event()
            made = make_devices(devices, RECORDS, seed=1)
            fleet = Fleet(made, stack.broker, Tracker(made))
            async with asyncio.TaskGroup() as group:
                group.create_task(fleet.run(stop), name="fleet")
                await asyncio.sleep(seconds)
                stop.set()
            async with asyncio.timeout(_DRAIN_SECONDS):
                while await stack.backlog() != Backlog(0, 0):  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(_POLL_SECONDS)
            await service.finish()
        yield stack.influxd


async def surroundings(influxd: Influxd, *, seconds: float = 900, ago: float = 0) -> Surroundings:
    """Variables as somebody might choose them: everything, and one device with all metadata.

    The time range is so many `seconds` long and ended some seconds `ago`.
    """
    rows = await influxd.query_influxql(
        'SHOW TAG VALUES FROM "pressure" WITH KEY = "sensorID" WHERE "calibration_date" != \'\''
    )
    device = min(row["value"] for row in rows)
    families = await influxd.query_influxql(
        f'SHOW TAG VALUES FROM "pressure" WITH KEY = "family" WHERE "sensorID" = \'{device}\''
    )
    return Surroundings(
        {
            "manufacturer": EVERYTHING,
            "family": EVERYTHING,
            "task": EVERYTHING,
            "device": device,
            "device_family": families[0]["value"],
            "gap_seconds": "1",
            "usd_per_million_queue_calls": "0.40",
            "usd_per_million_read_units": "0.125",
            "usd_per_vcpu_hour": "0.04048",
        },
        f"time >= now() - {ago + seconds:.0f}s AND time <= now() - {ago:.0f}s",
        INTERVAL_SECONDS,
    )


async def read_schema(influxd: Influxd) -> Schema:
    """Measurements, tags and fields that the database has."""
    tags, fields = {}, {}
    for row in await influxd.query_influxql("SHOW MEASUREMENTS"):
        name = row["name"]
        tag_rows = await influxd.query_influxql(f'SHOW TAG KEYS FROM "{name}"')
        field_rows = await influxd.query_influxql(f'SHOW FIELD KEYS FROM "{name}"')
        tags[name] = frozenset(each["tagKey"] for each in tag_rows)
        fields[name] = frozenset(each["fieldKey"] for each in field_rows)
    return Schema(tags, fields)

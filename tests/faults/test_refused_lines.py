"""Row 31 at the writer: thirteen lines of one batch that a real InfluxDB refuses, each its way."""

import asyncio
import time
from io import StringIO
from random import Random

import pytest
from contracts.sinks import open_sink

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.memory import MemoryQueue
from ingestor.core.batch import Batch
from ingestor.core.concurrency import Concurrency
from ingestor.core.message import Lease
from ingestor.core.settlement import begin_writing
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.places import Places
from ingestor.pipeline.poison import PoisonGuard
from ingestor.pipeline.settle import Settler
from ingestor.pipeline.write import Writer
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger
from loadtest.servers import Influxd
from loadtest.toolchain import Api, FoundInfluxd

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

VALUES = 600
"""How many values a tag may have."""
NOW = time.time_ns()
HOURS_AGO = NOW - 6 * 3600 * 10**9

CONFLICT, UNREADABLE = "field-type-conflict", "refused-by-influxdb"
BAD = {
    f'm,d=b0 f="text" {NOW}': CONFLICT,
    f"m,d=b1 f=true {NOW}": CONFLICT,
    f"m,d=b2 i=1.5 {NOW}": CONFLICT,
    f"m,d=b3 s=1 {NOW}": CONFLICT,
    f"m,d=b4 b=1i {NOW}": CONFLICT,
    f"m,d=b5 f=1 {HOURS_AGO}": "beyond-retention",
    f"m,site=one-more f=1 {NOW}": "too-many-series",
    f"m,d=b7 f= {NOW}": UNREADABLE,
    f'm,d=b8 s="open {NOW}': UNREADABLE,
    f"m,d= f=1 {NOW}": UNREADABLE,
    f"m,d=b10 f=1 {NOW}x": UNREADABLE,
    f"m,d=b11 {NOW}": UNREADABLE,
    f'm,d=b12 s="\0" {NOW}': UNREADABLE,
}
"""Thirteen, and the reason of each."""


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_f31_thirteen_bad_lines_in_one_batch(found_influxd: FoundInfluxd, api: Api) -> None:
    """Of 500 lines in one batch 487 are stored, 13 dead-lettered with the right reason each."""
    assert len(BAD) == 13
    lines = [f"m,d=d{n} f={n},i={n}i {NOW}" for n in range(487)]
    for n, line in enumerate(BAD):
        lines.insert(n * 37, line)
    settings = {"INFLUXDB_DATA_MAX_VALUES_PER_TAG": str(VALUES)}
    async with (
        Influxd(found_influxd, api=api, settings=settings) as influxd,
        open_sink(influxd) as sink,
    ):
        await influxd.keep_an_hour()
        before = f'f=1,i=1i,s="text",b=true {NOW}'
        await sink.write([f"m,site=s{n} {before}".encode() for n in range(VALUES)])
        clock = SystemClock()
        telemetry = Telemetry(make_logger("info", "json", StringIO()))
        context = Context(clock, Random(1), telemetry)  # noqa: S311 - chance, not secrets
        queue = MemoryQueue(clock=clock)
        intake = Intake(telemetry, most_messages=1_000, most_bytes=1_000_000)
        settler = Settler(
            queue=queue, intake=intake, context=context, guard=PoisonGuard(intake, 1_000)
        )
        batches: asyncio.Queue[Batch] = asyncio.Queue()
        writer = Writer(
            batches=batches,
            sink=sink,
            settler=settler,
            intake=intake,
            places=Places(Concurrency(1)),
            context=context,
        )
        for line in lines:
            queue.send(line)
        batch = Batch(opened_at=0.0)
        while len(batch) < len(lines):
            now = clock.monotonic()
            for held in intake.admit(await queue.receive(), Lease(now, now + 600)):
                held.open_lines = 1
                batch.lines.append(held.body.encode())
                batch.owners.append(held)
        begin_writing(batch.owners)
        batches.put_nowait(batch)
        tasks = [
            asyncio.create_task(writer.run(), name="write"),
            asyncio.create_task(settler.run(), name="settle"),
        ]
        async with asyncio.timeout(60):
            await intake.empty.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rows = await influxd.query_influxql("SELECT d, f FROM m WHERE d != ''")

    assert {row["d"]: row["f"] for row in rows} == {f"d{n}": n for n in range(487)}
    assert len(rows) == 487
    letters = {each.message.body: each.rejection for each in queue.dead_letters}
    assert {body: rejection.reason for body, rejection in letters.items()} == BAD
    assert len({rejection.detail for rejection in letters.values()}) == 13
    assert telemetry.totals.write_retries == 0

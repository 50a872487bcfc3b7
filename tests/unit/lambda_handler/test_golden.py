"""Every golden case, through the service and through the function."""

import base64
import json
from pathlib import Path

import pytest
from support.rig import Rig, rig

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.memory import MemoryMetadata
from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Rejected
from ingestor.core.records import read_records
from ingestor.lambda_handler.events import read_event
from ingestor.lambda_handler.process import process
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import Limits

FOLDERS = sorted((Path(__file__).parents[2] / "cases").iterdir())
SENT_AT_MS = 1_700_000_000_400
"""The time that the cases are written for."""


def body(folder: Path) -> str:
    """What the queue holds: the message itself, or what the rule makes of what a device sent."""
    (message,) = folder.glob("message.*")
    content = message.read_bytes()
    topic = folder / "topic.txt"
    if not topic.exists():
        return content.decode(errors="replace").removesuffix("\n")
    about = {"topic": topic.read_text().strip()}
    try:
        return json.dumps(dict(json.loads(content)) | about)
    except ValueError:
        return json.dumps({"data": base64.b64encode(content).decode()} | about)


def fresh(folder: Path) -> Rig:
    """The case's mapping and records, and nothing sent yet."""
    mapping, records = folder / "mapping.toml", folder / "metadata.json"
    return rig(
        mapping=mapping.read_text() if mapping.exists() else DEFAULT_MAPPING,
        store=MemoryMetadata(read_records(records.read_bytes()) if records.exists() else {}),
    )


def lines(r: Rig) -> list[bytes]:
    """What the sink was given, in order."""
    return [line for write in r.sink.writes for line in write]


def refusals(r: Rig) -> list[Rejected]:
    """Why messages were dead-lettered."""
    return [letter.rejection for letter in r.queue.dead_letters]


async def through_the_service(folder: Path) -> Rig:
    """The case from a queue, by the pipeline as the service runs it."""
    r = fresh(folder)
    await r.clock.advance(0.4)
    r.send(body(folder))
    async with r.running():
        await r.until(lambda: r.totals.deleted or r.totals.released)
    return r


async def through_the_function(folder: Path) -> Rig:
    """The case as the event of an event source mapping."""
    r = fresh(folder)
    record = {
        "messageId": "m-1",
        "receiptHandle": "h",
        "body": body(folder),
        "attributes": {"SentTimestamp": str(SENT_AT_MS), "ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
    }
    await process(
        read_event({"Records": [record]}, invocation="i", now_ms=0),
        dead_letters=r.queue,
        store=r.store,
        sink=r.sink,
        encoder=Encoder(parse_mapping(r.mapping)),
        context=Context(SystemClock(), r.context.random, r.telemetry),
        limits=Limits(pollers=1),
        seconds=30,
    )
    return r


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_same_bytes(folder: Path) -> None:
    """The service and the function write the same bytes, or refuse in the same words."""
    service, function = await through_the_service(folder), await through_the_function(folder)

    assert lines(function) == lines(service)
    assert [str(each) for each in refusals(function)] == [str(each) for each in refusals(service)]
    assert lines(function) or refusals(function) or function.totals.released
    expected = folder / "expected.lp"
    if expected.exists() and not (folder / "topic.txt").exists():
        assert b"".join(line + b"\n" for line in lines(function)) == expected.read_bytes()

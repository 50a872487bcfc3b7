"""The zip as a real function on MiniStack: from the queue, and invoked directly."""

import asyncio
import json
import os
import sys
import time
from hashlib import sha256
from pathlib import Path
from shutil import unpack_archive

import pytest
from service.conftest import Site, reading, until

from cfn.build_function import MOST_BYTES, build
from loadtest.function import NAME, TIMEOUT_SECONDS, Function, machine, python_version

pytestmark = [
    pytest.mark.servers,
    # aiohttp warns of the body that holds the zip; nothing else runs on this loop meanwhile.
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),
]


COLD_START = """
import json, sys, time
start = time.perf_counter()
from ingestor.lambda_handler import handler
imported = time.perf_counter()
class Context:
    aws_request_id = "i-1"
    def get_remaining_time_in_millis(self): return 60_000
answer = handler(json.load(sys.stdin), Context())
print(json.dumps({"answer": answer, "import_seconds": imported - start,
                  "first_batch_seconds": time.perf_counter() - imported}))
"""


def test_same_bytes_twice(tmp_path: Path) -> None:
    """Two builds give one hash, and the zip stays small. Says how large (`pytest -rP`)."""
    zips = [build(machine(), python_version(), tmp_path / name) for name in ("one", "two")]
    contents = [path.read_bytes() for path in zips]
    hashes = [sha256(content).hexdigest() for content in contents]

    print(f"zip: {len(contents[0]) / 1024**2:.1f} MiB, sha256 {hashes[0]} twice")  # noqa: T201 - for people
    assert hashes[0] == hashes[1]
    assert len(contents[0]) < MOST_BYTES


async def test_a_cold_start(site: Site, tmp_path: Path) -> None:
    """From the unpacked zip alone a first batch is stored. Says how long it took (`pytest -rP`)."""
    path = await asyncio.to_thread(build, machine(), python_version(), tmp_path)
    await asyncio.to_thread(unpack_archive, path, tmp_path / "task")
    about = {"SentTimestamp": f"{time.time_ns() // 10**6}", "ApproximateReceiveCount": "1"}
    records = [
        {
            "messageId": f"m-{n}",
            "receiptHandle": "h",
            "body": reading(n),
            "attributes": about,
            "eventSource": "aws:sqs",
        }
        for n in range(100)
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", COLD_START),
        cwd=tmp_path / "task",
        env={**site.stack.environment(), "PYTHONSAFEPATH": "", "PATH": os.environ["PATH"]},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(json.dumps({"Records": records}).encode())
    result = json.loads(said.splitlines()[-1])

    for what in ("import", "first_batch"):
        print(f"{what.replace('_', ' ')}: {result[f'{what}_seconds']:.2f} s")  # noqa: T201 - for people
    assert result["answer"] == {"batchItemFailures": []}
    assert await site.sequences() == list(range(100))


async def test_from_the_queue(site: Site) -> None:
    """Good readings are stored and enriched, poison is dead-lettered, nothing comes again."""
    # As AWS advises: what an invocation has may not come again before it has to end.
    await site.stack.sqs.set_queue_attributes(
        QueueUrl=site.stack.queue_url,
        Attributes={"VisibilityTimeout": str(6 * TIMEOUT_SECONDS)},
    )
    async with Function(site.stack, direct=False) as function:
        await site.send(*(reading(n) for n in range(20)), "poison", reading(99, pressure="high"))
        await site.until_empty()
        await function.finish()

    assert await site.sequences() == list(range(20))
    rows = await site.stack.influxd.query_influxql("SELECT sequence, family FROM pressure")
    assert {row["family"] for row in rows} == {"transmitters"}
    letters = await site.stack.take_dead_letters()
    assert sorted(letter.why.split(" ")[1] for letter in letters) == ["bad-field", "not-json"]


async def test_invoked_directly(site: Site) -> None:
    """What a rule hands over, one reading or an array, is stored at the rule's time."""
    received_at = int(time.time() * 1000)
    readings = [json.loads(reading(n, received_at=received_at)) for n in range(3)]
    async with Function(site.stack, direct=True) as function, site.stack.client("lambda") as client:
        for event in (readings[0], readings[1:]):
            answer = await client.invoke(FunctionName=NAME, Payload=json.dumps(event).encode())
            assert "FunctionError" not in answer

        async def stored() -> bool:
            return await site.sequences() == [0, 1, 2]

        await until(stored)
        await function.finish()

    rows = await site.stack.influxd.query_influxql("SELECT sequence FROM pressure")
    assert {row["time"] for row in rows} == {received_at * 10**6}

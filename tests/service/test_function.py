"""The zip as a real function on MiniStack: from the queue, and invoked directly."""

import json
import time
from hashlib import sha256
from pathlib import Path

import pytest
from service.conftest import Site, reading, until

from cfn.build_function import MOST_BYTES, build
from loadtest.function import NAME, Function, machine, python_version

pytestmark = [
    pytest.mark.servers,
    # aiohttp warns of the body that holds the zip; nothing else runs on this loop meanwhile.
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),
]


def test_same_bytes_twice(tmp_path: Path) -> None:
    """Two builds give one hash, and the zip stays small."""
    zips = [build(machine(), python_version(), tmp_path / name) for name in ("one", "two")]
    contents = [path.read_bytes() for path in zips]

    assert sha256(contents[0]).digest() == sha256(contents[1]).digest()
    assert len(contents[0]) < MOST_BYTES


async def test_from_the_queue(site: Site) -> None:
    """Good readings are stored and enriched, poison is dead-lettered, nothing comes again."""
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

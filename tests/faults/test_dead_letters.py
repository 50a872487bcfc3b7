"""`ingestor dead-letters` as operators run it."""

import asyncio
import base64
import json
import os
import sys
from typing import Any

import pytest
from faults.conftest import Ground
from service.conftest import reading

from loadtest.mapping import MAPPING

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

FIELDS = "[routes.fields]\n"
WRONG = MAPPING.replace(FIELDS, FIELDS + 'speed = { path = "speed", type = "float" }\n')
RIGHT = MAPPING.replace(FIELDS, FIELDS + 'speed = { path = "speed", type = "string" }\n')


async def start(ground: Ground, *arguments: str) -> asyncio.subprocess.Process:
    """Start `ingestor dead-letters`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ingestor", "dead-letters", *arguments),
        env={"PATH": os.defpath} | ground.stack.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def dead_letters(ground: Ground, *arguments: str, status: int = 0) -> str:
    """Standard output of `ingestor dead-letters`."""
    process = await start(ground, *arguments)
    output, errors = await process.communicate()
    assert process.returncode == status, errors.decode()
    return output.decode()


async def fill(ground: Ground, count: int, *others: str) -> None:
    """Let the service dead-letter so many messages that another mapping can store."""
    bodies = [reading(n, speed="fast", topic="pressure/data") for n in range(count)]
    async with ground.service(MAPPING=WRONG) as service:
        await ground.send(*bodies, *others)
        await ground.until_empty()
        await service.finish()
    assert await ground.sequences() == []


async def test_look_replay_and_purge(ground: Ground) -> None:
    """Letters are listed by reason, shown, replayed after a correction, and purged."""
    await fill(ground, 25, "not json")

    groups: list[dict[str, Any]] = json.loads(await dead_letters(ground, "list", "--json"))
    assert {(each["stage"], each["reason"]): each["count"] for each in groups} == {
        ("map", "bad-field"): 25,
        ("decode", "not-json"): 1,
    }
    sample = groups[0]["samples"][0]
    assert sample["topic"] == "pressure/data"
    assert len(sample["mapping"]) == 12
    assert sample["detail"].startswith("speed")
    assert sample.keys() >= {"id", "arrived", "original_message_id", "original_sent_at_ms"}
    assert "25  map: bad-field" in await dead_letters(ground, "list")

    shown = json.loads(await dead_letters(ground, "show", sample["id"], "--json"))
    assert json.loads(shown["body"])["speed"] == "fast"
    assert "speed" in await dead_letters(ground, "show", sample["id"])
    await dead_letters(ground, "show", "nobody", status=1)

    assert "25 would" in await dead_letters(ground, "replay", "--reason", "bad-field", "--dry-run")
    async with ground.service(MAPPING=RIGHT) as service:
        done = await dead_letters(ground, "replay", "--reason", "bad-field", "--json")
        await ground.until_empty()
        await service.finish()
    assert json.loads(done) == {"chosen": 25, "sent": 25, "not_restorable": 0, "dry_run": False}
    assert await ground.sequences() == list(range(25))

    assert "1 deleted" in await dead_letters(ground, "purge", "--yes")
    assert await ground.stack.take_dead_letters() == []


async def test_replay_killed_in_the_middle(ground: Ground) -> None:
    """A replay that is killed and started again stores everything once, and leaves nothing."""
    await fill(ground, 40)
    async with ground.service(MAPPING=RIGHT) as service:
        process = await start(ground, "replay", "--rate", "10", "--hold-seconds", "2")
        await ground.until_stored(10)
        process.kill()
        await process.communicate()
        assert len(await ground.sequences()) < 40
        sent = 0
        while sent < 20 or len(await ground.sequences()) < 40:
            done = await dead_letters(ground, "replay", "--json", "--hold-seconds", "2")
            sent += json.loads(done)["sent"]
            await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(40))
    assert await ground.stack.take_dead_letters() == []


async def test_what_the_rule_could_not_send(ground: Ground) -> None:
    """Errors of the IoT rule are replayed from their own queue."""
    url = ground.stack.rule_error_queue_url
    payload = reading(1).encode()
    for body in (
        {"topic": "pressure/data", "failures": [{}], "base64OriginalPayload": "%"},
        {
            "topic": "pressure/data",
            "failures": [{"failedAction": "SqsAction"}],
            "base64OriginalPayload": base64.b64encode(payload).decode(),
        },
    ):
        await ground.stack.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))

    async with ground.service() as service:
        done = await dead_letters(ground, "replay", "--queue", url, "--json", status=1)
        await ground.until_empty()
        await service.finish()

    assert json.loads(done) == {"chosen": 2, "sent": 1, "not_restorable": 1, "dry_run": False}
    assert await ground.sequences() == [1]
    assert len(await ground.stack.take_rule_errors()) == 1

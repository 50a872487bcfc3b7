"""Row 54: what the Lambda function answers when something goes wrong."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from faults.conftest import Ground
from faults.test_process import FAILING_LIBRARY
from service.conftest import reading

from loadtest.mapping import MAPPING
from loadtest.proxy import Hang

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

LAMBDA = """
import json, sys
from types import SimpleNamespace
from ingestor.lambda_handler import handler

for line in sys.stdin:
    event, left = json.loads(line)
    context = SimpleNamespace(
        aws_request_id="request", get_remaining_time_in_millis=lambda: left * 1000
    )
    try:
        answer = handler(event, context)
    except Exception as error:
        print("FAILED", type(error).__name__)
        ids = [each["messageId"] for each in event["Records"]]
        answer = {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}
    print("ANSWER", json.dumps(answer), flush=True)
"""
"""What Lambda does: one process, one invocation after the other, all again of one that fails."""


class Invoker:
    """The function's process; `printed` is all that it has written beside its answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._sent_at_ms = time.time_ns() // 10**6
        self.printed: list[str] = []

    async def __call__(self, bodies: Sequence[str], *, seconds: float = 30) -> list[str]:
        """Hand over records with ids 0, 1, …; the ids that are to come again."""
        event = {"Records": [record(n, body, self._sent_at_ms) for n, body in enumerate(bodies)]}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{json.dumps([event, seconds])}\n".encode())
        async with asyncio.timeout(90):
            async for line in stdout:
                text = line.decode()
                if text.startswith("ANSWER "):
                    answer = json.loads(text.removeprefix("ANSWER "))
                    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]
                self.printed.append(text)
        raise AssertionError(f"the function has ended:\n{''.join(self.printed)}")


def record(number: int, body: str, sent_at_ms: int) -> dict[str, Any]:
    """A message as an event source mapping hands it over."""
    stamps = {"SentTimestamp": str(sent_at_ms), "ApproximateReceiveCount": "1"}
    return {
        "messageId": str(number),
        "receiptHandle": "handle",
        "body": body,
        "attributes": stamps,
        "eventSource": "aws:sqs",
    }


@asynccontextmanager
async def function(environment: dict[str, str], lines: str = "") -> AsyncIterator[Invoker]:
    """The function in a process of its own, after some lines of Python."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", lines + LAMBDA),
        env={"PATH": os.defpath, "LANG": "C.UTF-8"} | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**22,
    )
    try:
        yield Invoker(process)
    finally:
        process.kill()
        await process.communicate()


async def test_f54_only_what_failed(ground: Ground) -> None:
    """Bad records are done, held ones and those of an outage or a timeout come again, no others."""
    holding = MAPPING.replace('missing = "write"', 'missing = "hold"')
    environment = ground.environment(MAPPING=holding, INFLUXDB_TIMEOUT_SECONDS="20")
    async with function(environment) as invoke:
        bodies = [reading(n) for n in range(10)]
        assert await invoke([*bodies, "poison", reading(90, metakey="not yet there")]) == ["11"]
        assert await ground.sequences() == list(range(10))
        assert [each.body for each in await ground.stack.take_dead_letters()] == ["poison"]

        later = [reading(n) for n in range(10, 15)]
        ids = [str(n) for n in range(5)]
        ground.site.proxies["dynamodb"].down = True
        unseen = [reading(20, metakey="123456789"), reading(21, metakey="of nobody")]
        assert await invoke(unseen, seconds=5) == ["0", "1"]
        ground.site.proxies["dynamodb"].down = False
        ground.influxdb.down = True
        assert await invoke(later, seconds=5) == ids
        ground.influxdb.down = False
        assert await ground.sequences() == list(range(10))

        for applied in (False, True):
            ground.influxdb.arm(Hang(applied=applied), "write", times=50)
            assert await invoke([*later, "poison"], seconds=5) == ids
            ground.influxdb.disarm()
        assert await invoke(later) == []

    assert await ground.sequences() == list(range(15))
    assert {each.body for each in await ground.stack.take_dead_letters()} == {"poison"}


async def test_f54_exception(ground: Ground) -> None:
    """A defect amid the work brings everything back that is not stored; none of it is lost."""
    bodies = [reading(n) for n in range(60)]  # so many are compressed, which is what fails
    ids = [str(n) for n in range(60)]
    async with function(ground.environment(), FAILING_LIBRARY) as invoke:
        assert await invoke(bodies) == ids
        assert await ground.sequences() == []
        assert "ZeroDivisionError" in "".join(invoke.printed)
    async with function(ground.environment()) as invoke:
        assert await invoke(bodies) == []

    assert await ground.sequences() == list(range(60))
    assert await ground.stack.take_dead_letters() == []

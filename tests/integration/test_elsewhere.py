"""Devices and resources on a MiniStack that somebody else runs, as with containers."""

import asyncio
import os
import signal
import sys

import pytest

from loadtest.resources import open_client
from loadtest.servers import MiniStack

pytestmark = pytest.mark.servers


async def run(*arguments: str, url: str = "") -> tuple[int, str]:
    """Exit status and output of a command."""
    process = await start(*arguments, url=url)
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def start(*arguments: str, url: str) -> asyncio.subprocess.Process:
    """The command, as a process that is told of a MiniStack and nothing else."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loadtest.elsewhere",
        *arguments,
        env={"PATH": os.defpath} | ({"AWS_ENDPOINT_URL": url} if url else {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_devices_publish_into_the_prepared_queue() -> None:
    """Preparing twice is as good as once; the fleet publishes until SIGTERM, then ends with 0."""
    async with MiniStack() as ministack:
        assert "Readings go to http" in (await run("prepare", url=ministack.url))[1]
        assert await run("prepare", url=ministack.url) == (
            0,
            "There already are queues, rule and table.\n",
        )
        fleet = await start("fleet", "--devices=3", url=ministack.url)
        async with open_client("sqs", url=ministack.url, region="us-east-1") as sqs:
            queue = (await sqs.get_queue_url(QueueName="demo-readings"))["QueueUrl"]
            bodies: list[str] = []
            async with asyncio.timeout(60):
                while len(bodies) < 6:
                    answer = await sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
                    bodies += [each["Body"] for each in answer.get("Messages", [])]
        fleet.send_signal(signal.SIGTERM)
        output, _ = await fleet.communicate()

    assert (fleet.returncode, b"3 devices publish" in output) == (0, True)
    assert all('"topic"' in body for body in bodies)


async def test_a_ministack_that_is_not_there_is_told() -> None:
    """In one sentence, with exit status 1."""
    status, output = await run("prepare", url="http://127.0.0.1:9")

    assert status == 1
    assert output.startswith("MiniStack does not do as it is told: ")
    assert output.count("\n") == 1


async def test_no_address_is_wrong_usage() -> None:
    """The message names the variable."""
    status, output = await run("fleet")

    assert status == 2
    assert "AWS_ENDPOINT_URL must name a MiniStack" in output

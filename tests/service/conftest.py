"""A whole local stack for tests of the service as a process."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from loadtest.service import Service
from loadtest.stack import Backlog, Stack, open_stack
from loadtest.toolchain import FoundInfluxd

RECORD = "123456790"
"""The metadata record that good readings name: the 2020 demo's."""

PATIENCE_SECONDS = float(os.environ.get("PATIENCE_SECONDS", "90"))
"""How long `until` waits. `make prove` has less: there, waiting in vain is the rule."""


def reading(number: int, **changes: Any) -> str:
    """The body of a good message; every number is another device."""
    body = {
        "pressure": 900,
        "viscosity": 50,
        "sensordatetime": None,
        "deviceid": f"d{number}",
        "clientid": "c",
        "metakey": RECORD,
        "sequence": number,
    }
    return json.dumps(body | changes)


async def until(
    condition: Callable[[], Awaitable[object]], *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Ask again and again until the answer is true; TimeoutError when it never is."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.05)


@dataclass
class Site:
    """A stack of its own, and what tests do with it."""

    stack: Stack

    def service(self, **variables: str) -> Service:
        """A service on this stack; names without `INGESTOR_`."""
        changes = {f"INGESTOR_{name}": value for name, value in variables.items()}
        return Service(self.stack.environment() | changes)

    async def send(self, *bodies: str) -> None:
        """Put messages into the queue."""
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(n), "MessageBody": body}
                for n, body in enumerate(bodies[start : start + 10])
            ]
            url = self.stack.queue_url
            answer = await self.stack.sqs.send_message_batch(QueueUrl=url, Entries=entries)
            assert not answer.get("Failed")

    async def sequences(self) -> list[int]:
        """The sequence numbers of all points that are stored, sorted."""
        rows = await self.stack.influxd.query_influxql("SELECT sequence, family FROM pressure")
        return sorted(row["sequence"] for row in rows)

    async def until_empty(self) -> None:
        """Wait until nothing is in the queue, neither waiting nor held."""

        async def is_empty() -> bool:
            return await self.stack.backlog() == Backlog(0, 0)

        await until(is_empty)


@pytest_asyncio.fixture
async def site(found_influxd: FoundInfluxd) -> AsyncIterator[Site]:
    """A fresh stack, v1 API: every version of InfluxDB has it."""
    async with open_stack(found_influxd, "v1") as stack:
        yield Site(stack)

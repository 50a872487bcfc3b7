"""The Lambda path under test: the zip as a function of MiniStack, fed by the queue or the rule."""

import asyncio
import platform
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from cfn.build_function import BuildError, build
from loadtest.servers import ServerError
from loadtest.stack import Stack

NAME = "demo-ingestor"
TIMEOUT_SECONDS = 20
WARM = 4
"""Processes of the function that are up before a rule invokes it. A call that comes while all are
busy starts one more, which takes a core for longer than hundreds of calls do."""
MOST_CALLS = 2
"""Readings under way with a rule that invokes; a call ends a little later than it has stored."""
_ROLE = "arn:aws:iam::000000000000:role/demo-function"
_MACHINES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "AMD64": "x86_64"}


class Function:
    """The function, deployed on the stack until the end of the block.

    With `direct` the rule invokes it, else it is fed from the queue. To the demo it is what the
    service is, but for the kill.
    """

    page = "none: Lambda has no console"

    def __init__(self, stack: Stack, *, direct: bool) -> None:
        self._stack = stack
        self._direct = direct
        self._exits = AsyncExitStack()
        self._lambda: Any = None
        self._mapping: str | None = None

    async def __aenter__(self) -> Self:
        try:
            code = await asyncio.to_thread(_zip)
        except BuildError as exc:
            raise ServerError(str(exc)) from exc
        self._lambda = await self._exits.enter_async_context(self._stack.client("lambda"))
        answer = await self._lambda.create_function(
            FunctionName=NAME,
            Runtime=f"python{python_version()}",
            Role=_ROLE,
            Handler="ingestor.lambda_handler.handler",
            Code={"ZipFile": code},
            Timeout=TIMEOUT_SECONDS,
            MemorySize=1024,
            Environment={"Variables": self._stack.environment()},
        )
        # Up before the first reading comes: MiniStack keeps a process for each call at once.
        calls = (
            self._lambda.invoke(FunctionName=NAME, Payload=b"[]")
            for _ in range(WARM if self._direct else 1)
        )
        await asyncio.gather(*calls)
        await self._feed(answer["FunctionArn"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def finish(self) -> None:
        """Take the function off its source, and remove it."""
        if self._mapping is not None:
            await self._lambda.delete_event_source_mapping(UUID=self._mapping)
        await self._lambda.delete_function(FunctionName=NAME)

    def check(self) -> None:
        """Nothing to see from outside: what the function does not store is missing in the end."""

    async def scrape(self) -> None:
        """A function has no figures to scrape."""

    def total(self, counter: str) -> int:
        """A function has no figures to scrape."""
        del counter
        return 0

    async def _feed(self, arn: str) -> None:
        if self._direct:
            await self._stack.rule_invokes(arn)
            return
        attributes = await self._stack.sqs.get_queue_attributes(
            QueueUrl=self._stack.queue_url, AttributeNames=["QueueArn"]
        )
        answer = await self._lambda.create_event_source_mapping(
            EventSourceArn=attributes["Attributes"]["QueueArn"],
            FunctionName=NAME,
            BatchSize=1000,
            MaximumBatchingWindowInSeconds=1,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        self._mapping = answer["UUID"]


def machine() -> str:
    """The architecture of this machine, in Lambda's words."""
    return _MACHINES[platform.machine()]


def python_version() -> str:
    """The version of the Python that MiniStack runs functions with: this one."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _zip() -> bytes:
    """The zip for this machine, where MiniStack runs functions as processes."""
    with tempfile.TemporaryDirectory(prefix="ingestor-zip-") as folder:
        return build(machine(), python_version(), Path(folder)).read_bytes()

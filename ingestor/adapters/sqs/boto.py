"""Calls to SQS through aioboto3."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from botocore import xform_name

from ingestor.adapters.aws import calling, client_config, make_session, making_clients
from ingestor.adapters.sqs.answers import ReceiveAnswer
from ingestor.adapters.sqs.setup import QueueSetupError
from ingestor.adapters.sqs.transport import CONNECTIONS, POLL_GRACE_SECONDS, Answer
from ingestor.core.later import Later
from ingestor.core.message import Delivered
from ingestor.ports import Delivery

if TYPE_CHECKING:  # the stubs are not installed where the service runs
    from types_aiobotocore_sqs.client import SQSClient


@asynccontextmanager
async def open_boto(
    *, wait_seconds: int, pollers: int, endpoint_url: str | None, region_name: str | None
) -> AsyncIterator[tuple["BotoTransport", "BotoTransport"]]:
    """A transport for polls and one for all other calls: see `open_sqs`."""
    polls_config = client_config(
        connections=pollers + 1, read_seconds=wait_seconds + POLL_GRACE_SECONDS
    )
    calls_config = client_config(connections=CONNECTIONS)
    async with AsyncExitStack() as stack:
        with making_clients("SQS", QueueSetupError):
            session = make_session(region_name)
            # Two pools, so that a pool full of long polls never delays a delete.
            polls = await stack.enter_async_context(
                session.client("sqs", config=polls_config, endpoint_url=endpoint_url)
            )
            calls = await stack.enter_async_context(
                session.client("sqs", config=calls_config, endpoint_url=endpoint_url)
            )
        yield BotoTransport(polls), BotoTransport(calls)


class BotoTransport:
    """A `Transport` over one client of aioboto3."""

    def __init__(self, client: "SQSClient") -> None:
        self.region_name = client.meta.region_name
        self._client = client

    async def receive(self, request: Mapping[str, Any], *, seconds: float) -> Delivery:
        """See Transport."""
        answer = await self._call("ReceiveMessage", request, ReceiveAnswer, seconds)
        return Delivered(answer.messages or ())

    def call(
        self, operation: str, request: Mapping[str, Any], answer: type[Answer], *, seconds: float
    ) -> Awaitable[Answer]:
        """See Transport."""
        return Later(self._call, (operation, request, answer, seconds))

    async def _call(
        self, operation: str, request: Mapping[str, Any], answer: type[Answer], seconds: float
    ) -> Answer:
        async with calling("SQS", operation, seconds=seconds):
            call = getattr(self._client, xform_name(operation))
            read = await call(**msgspec.to_builtins(request))
            return msgspec.convert(read, answer, strict=False)

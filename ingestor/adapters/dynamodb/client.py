"""The client of both: bounded, and made with errors that say what is missing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ingestor.adapters.aws import client_config, make_session, making_clients

if TYPE_CHECKING:  # the stubs are not installed where the service runs
    from types_aiobotocore_dynamodb.client import DynamoDBClient

CALLS_AT_ONCE = 8


@asynccontextmanager
async def open_client(
    *, endpoint_url: str | None, region_name: str | None, setup_error: type[Exception]
) -> AsyncIterator["DynamoDBClient"]:
    """A client with connections for `CALLS_AT_ONCE`, and some to spare.

    Raises:
        Exception: of the kind `setup_error`: no region is set.
        Unavailable: no client can be made.
    """
    config = client_config(connections=CALLS_AT_ONCE + 2)
    async with AsyncExitStack() as stack:
        with making_clients("DynamoDB", setup_error):
            session = make_session(region_name)
            client = await stack.enter_async_context(
                session.client("dynamodb", config=config, endpoint_url=endpoint_url)
            )
        yield client

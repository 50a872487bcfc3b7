"""AWS IoT Core as a way in: whose account it is, botocore finds out as always."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from loadtest.fleet.certificates import issued
from loadtest.fleet.ways import Dial
from loadtest.servers import ServerError

PUBLISHES_PER_SECOND = 100.0
"""Of one connection, at AWS IoT Core; more are throttled, and the connection may be closed."""
CONNECTS_PER_SECOND = 500.0
"""Of one account, unless AWS has raised its quota."""

_TLS_PORT = 8883


def own_client(service: str) -> Any:
    """A client of an AWS service with the user's own credentials, region and endpoint."""
    session: Any = AioSession()
    return session.create_client(service)


@asynccontextmanager
async def open_iot(
    endpoint: str, name: str, *, client: Callable[[str], Any] = own_client
) -> AsyncIterator[Dial]:
    """How devices reach AWS IoT Core, by TLS with a certificate for this run.

    `name` is that of the run's policy. `endpoint` is `host` or `host:port`; when it is empty, AWS
    is asked for it. Raises ServerError when AWS IoT does not do as it is told.
    """
    host, _, port = (endpoint or await find_endpoint(client)).partition(":")
    async with issued(client, name) as certificate:
        yield Dial(
            host,
            int(port or _TLS_PORT),
            certificate.context,
            prefix=certificate.prefix,
            most_per_second=PUBLISHES_PER_SECOND,
            connects_per_second=CONNECTS_PER_SECOND,
        )


async def find_endpoint(client: Callable[[str], Any]) -> str:
    """Where devices of the account connect; ServerError when AWS does not say."""
    try:
        async with client("iot") as iot:
            answer = await iot.describe_endpoint(endpointType="iot:Data-ATS")
    except (BotoCoreError, ClientError) as exc:
        raise ServerError(f"AWS IoT does not tell its endpoint: {exc}") from exc
    address: str = answer["endpointAddress"]
    return address

"""Moto in server mode: a second opinion on SQS and DynamoDB."""

import sys
from http import HTTPStatus

import aiohttp

from loadtest.servers.aws import client_variables
from loadtest.servers.process import Server


class Moto(Server):
    """One moto server, all services on `port`, all state in memory."""

    name = "moto"
    region = "us-east-1"

    def command(self) -> list[str]:
        """See Server."""
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/moto-api/") as response:
            return response.status == HTTPStatus.OK

    async def reset(self) -> None:
        """Delete everything in every service."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/moto-api/reset") as response,
        ):
            response.raise_for_status()

    def environment(self) -> dict[str, str]:
        """The AWS_* variables that lead botocore here."""
        return client_variables(self.url, self.region)

"""The queues as a server that tests and runs start and stop."""

import sys
from collections.abc import Mapping

import aiohttp

from loadtest.servers import Server
from loadtest.servers.aws import client_variables


class Sqs(Server):
    """Empty at its start, all state in memory."""

    name = "sqs"
    region = "us-east-1"

    def command(self) -> list[str]:
        """See Server."""
        return [sys.executable, "-m", "loadtest.sqs", "--port", str(self.port)]

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/") as response:
            return response.ok

    def environment(self) -> Mapping[str, str]:
        """The AWS_* variables that lead botocore here."""
        return client_variables(self.url, self.region)

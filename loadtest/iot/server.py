"""The stand-in as a server that runs and tests start and stop."""

import asyncio
import sys
from collections.abc import Sequence

import aiohttp

from loadtest.servers import Server
from loadtest.sqs.server import Sqs


class Iot(Server):
    """Takes publishers on `port`, by plain MQTT 3.1.1; what `rules` select goes to a queue.

    `rules` are statements of IoT SQL; `queue_url` and `error_queue_url` are queues of `sqs`.
    """

    name = "iot"

    def __init__(
        self, sqs: Sqs, rules: Sequence[str], *, queue_url: str, error_queue_url: str
    ) -> None:
        self._given = ["--sqs", sqs.url, "--region", sqs.region]
        self._given += ["--queue", queue_url, "--errors", error_queue_url]
        for sql in rules:
            self._given += ["--rule", sql]

    def command(self) -> list[str]:
        """See Server."""
        return [sys.executable, "-m", "loadtest.iot", "--port", str(self.port), *self._given]

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        del session
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()
        return True

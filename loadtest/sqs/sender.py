"""Ten messages a call into a queue, as cheaply as it can be done.

Not by the client of botocore: it costs more than everything else that a fleet does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
from botocore.credentials import Credentials

from loadtest.sqs.signature import Signer

MOST_AT_ONCE = 10
"""Messages of one call."""

_TIMEOUT = aiohttp.ClientTimeout(total=20)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True, frozen=True)
class Queue:
    """A queue and who may send to it; `endpoint` is where SQS answers."""

    url: str
    endpoint: str
    region: str
    credentials: Credentials


class Sender:
    """Sends to one queue over the connections of a session."""

    def __init__(self, queue: Queue, session: aiohttp.ClientSession) -> None:
        self._queue = queue
        self._session = session
        self._signer = Signer(
            queue.endpoint, "sqs", queue.region, "AmazonSQS.SendMessageBatch", queue.credentials
        )

    async def send(self, bodies: Sequence[str]) -> list[int]:
        """Send these once, ten at most; the places of those that were not accepted."""
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        content = _encode({"QueueUrl": self._queue.url, "Entries": entries})
        headers = self._signer.headers(content, datetime.now(UTC))
        try:
            async with self._session.post(
                self._queue.endpoint + "/", data=content, headers=headers, timeout=_TIMEOUT
            ) as response:
                answer: dict[str, Any] = _decode(await response.read()) if response.ok else {}
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            answer = {}
        accepted = {entry["Id"] for entry in answer.get("Successful", ())}
        return [n for n in range(len(bodies)) if str(n) not in accepted]

"""How fast the canned queue itself is: a client that does nothing but ask, as fast as it can."""

import asyncio
import time
from collections.abc import Mapping
from typing import cast

from loadtest.bench.processes import Answerer, cpu_seconds

CONNECTIONS = 4
MARGIN = 1.5
"""By how much a ceiling has to be above what was measured below it."""
_RECEIVE = (
    b"POST / HTTP/1.1\r\nHost: sqs\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
_ENTRIES = b"{" + b",".join(b'"Id":"%d"' % n for n in range(10)) + b"}"
_DELETE = (
    b"POST / HTTP/1.1\r\nHost: sqs\r\nX-Amz-Target: AmazonSQS.DeleteMessageBatch\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_ENTRIES), _ENTRIES)
)


class _Flood(asyncio.Protocol):
    """Receives and deletes in turn; a reply is over when it ends with two braces."""

    def __init__(self) -> None:
        self._turn = 0
        self._last = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._last = (self._last + data)[-3:]
        if self._last.endswith((b"}]}", b"[]}")):
            self._last = b""
            self._ask()

    def _ask(self) -> None:
        self._turn += 1
        if self._transport is not None:
            self._transport.write(_RECEIVE if self._turn % 2 else _DELETE)


def too_near(rate: float, ceilings: Mapping[str, float]) -> list[str]:
    """A sentence for each ceiling that a measured rate is too near to, to mean anything."""
    return [
        f"{name} can do {most:,.0f} messages/s per core, less than {MARGIN:g} times the "
        f"{rate:,.0f} measured in front of it: the ratios say more about it than about the service"
        for name, most in ceilings.items()
        if most < MARGIN * rate
    ]


async def ceiling(seconds: float) -> dict[str, float]:
    """Messages per second that the canned queue hands out and takes back.

    Those of one core, and those by the clock, where the asking client has a part of the machine.
    """
    loop = asyncio.get_running_loop()
    async with Answerer("sqs") as sqs:
        lines = [
            (await loop.create_connection(_Flood, "127.0.0.1", sqs.port))[0]
            for _ in range(CONNECTIONS)
        ]
        await asyncio.sleep(1.0)
        before, cpu, clock = await sqs.figures(), cpu_seconds([sqs.pid]), time.monotonic()
        await asyncio.sleep(seconds)
        after = await sqs.figures()
        spent = cpu_seconds([sqs.pid]) - cpu
        elapsed = time.monotonic() - clock
        for line in lines:
            line.abort()
    messages = after["deleted"] - before["deleted"]
    return {"sqs": messages / spent, "sqs_by_the_clock": messages / elapsed}

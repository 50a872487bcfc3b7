"""What can go wrong with one exchange, whatever its content."""

import asyncio
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import Protocol

from loadtest.proxy.http import Reply, Request


class Exchange(Protocol):
    """One request, and what a fault may do with it."""

    @property
    def request(self) -> Request:
        """What the client asks."""
        ...

    async def ask(self, request: Request | None = None) -> Reply:
        """Pass the request, or another one in its place, on; the real reply.

        When there is none the client is cut off, and the exchange has ended.
        """
        ...

    async def answer(self, reply: Reply) -> None:
        """Give the client a whole reply."""
        ...

    async def answer_bytes(self, part: bytes) -> None:
        """Give the client some bytes of one."""
        ...

    def delivered(self, reply: Reply) -> None:
        """The bytes given to the client were a whole reply, in the end."""
        ...

    async def hang(self) -> None:
        """Wait until the client has gone."""
        ...

    def reset(self) -> None:
        """Cut the client off, with a TCP reset."""
        ...


class Fault(Protocol):
    """One way in which one exchange goes wrong. `name` is what it is counted under."""

    @property
    def name(self) -> str:
        """What it is counted under."""
        ...

    async def apply(self, exchange: Exchange) -> None:
        """Handle the exchange."""
        ...


@dataclass(slots=True, frozen=True)
class Latency:
    """The right reply, late."""

    seconds: float
    name: str = "latency"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        await asyncio.sleep(self.seconds)
        await exchange.answer(await exchange.ask())


@dataclass(slots=True, frozen=True)
class Status:
    """An error of HTTP; the request is not passed on.

    `retry_after` is the text of that header; `date_in_seconds` puts a date there instead.
    """

    status: int
    name: str
    retry_after: str | None = None
    date_in_seconds: float | None = None
    body: bytes = b""

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        now = time.time()
        headers = {"date": formatdate(now, usegmt=True), "content-type": "text/plain"}
        if self.retry_after is not None:
            headers["retry-after"] = self.retry_after
        if self.date_in_seconds is not None:
            headers["retry-after"] = formatdate(now + self.date_in_seconds, usegmt=True)
        await exchange.answer(Reply(self.status, headers, self.body))


@dataclass(slots=True, frozen=True)
class Reset:
    """The connection is reset, before the request was passed on or after it was `applied`."""

    applied: bool

    @property
    def name(self) -> str:
        """See Fault."""
        return "reset-after-applied" if self.applied else "reset"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        if self.applied:
            await exchange.ask()
        exchange.reset()


@dataclass(slots=True, frozen=True)
class HalfReply:
    """The request is applied, and half of its reply arrives."""

    name: str = "half-reply"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        whole = (await exchange.ask()).encode()
        await exchange.answer_bytes(whole[: len(whole) // 2])
        exchange.reset()


@dataclass(slots=True, frozen=True)
class Drip:
    """The right reply, in `parts` with the pause of `seconds` after each."""

    seconds: float
    parts: int = 8
    name: str = "drip"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        reply = await exchange.ask()
        whole = reply.encode()
        size = -(-len(whole) // self.parts)
        for start in range(0, len(whole), size):
            await exchange.answer_bytes(whole[start : start + size])
            await asyncio.sleep(self.seconds)
        exchange.delivered(reply)


@dataclass(slots=True, frozen=True)
class Hang:
    """No reply for as long as the client waits; the request may have been `applied`."""

    applied: bool

    @property
    def name(self) -> str:
        """See Fault."""
        return "hang-after-applied" if self.applied else "hang"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        if self.applied:
            await exchange.ask()
        await exchange.hang()


@dataclass(slots=True, frozen=True)
class Unreadable:
    """The page of some other proxy, with status 200; the request is not passed on."""

    name: str = "unreadable"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        page = b"<html><body>Welcome to the network of the hotel</body></html>"
        await exchange.answer(Reply(200, {"content-type": "text/html"}, page))

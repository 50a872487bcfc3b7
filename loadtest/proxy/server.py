"""The proxy: one upstream server, and a list of the faults that are to come."""

import asyncio
import contextlib
import socket
import struct
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from loadtest.proxy.faults import Fault
from loadtest.proxy.http import BadMessage, Reply, Request, read_reply, read_request

ANY = "*"
"""Faults armed for this operation befall the next exchange, whatever it is."""

SPARED = 2
"""How many exchanges of an operation go well after each group of faults."""

_MOST_HEAD = 256 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)


class _NoReply(Exception):
    """The upstream server cannot be reached, or ended the connection."""


def aws_operation(request: Request) -> str:
    """The operation of a call to an AWS service by its JSON protocol, such as `ReceiveMessage`."""
    return request.headers.get("x-amz-target", "").rpartition(".")[2]


def influxdb_operation(request: Request) -> str:
    """`write`, by either API, `query` or another last part of the path."""
    return urlsplit(request.target).path.rpartition("/")[2]


class FaultProxy:
    """An HTTP proxy on a free port of 127.0.0.1, as an async context manager.

    Without any fault armed everything passes through. `told`, where given, is called with every
    exchange whose reply the client was given whole. While `down` is set, connections are reset.

    Args:
        upstream: The address of the server, read anew for every connection.
        operation: Names what a request asks for; faults are armed for such names.
        told: See above.
    """

    def __init__(
        self,
        upstream: Callable[[], str],
        operation: Callable[[Request], str],
        told: Callable[[Request, Reply], None] | None = None,
    ) -> None:
        self._upstream = upstream
        self._operation = operation
        self._told = told
        self._armed: defaultdict[str, deque[tuple[Fault, bool]]] = defaultdict(deque)
        self._spared: Counter[str] = Counter()
        self._down = False
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self.applied: Counter[str] = Counter()
        """How often each fault has happened, by its name."""
        self.requests = 0
        """How many have come."""
        self.under_way = 0
        """How many exchanges are going wrong at the moment."""
        self.paused = False
        """While it is set the faults that are armed wait."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_MOST_HEAD)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __repr__(self) -> str:
        return f"<FaultProxy before {self._upstream()}, {self.armed} faults armed>"

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("a FaultProxy is used outside its `async with` block")
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    @property
    def armed(self) -> int:
        """How many faults are still to come."""
        return sum(map(len, self._armed.values()))

    def arm(self, fault: Fault, operation: str = ANY, *, times: int = 1) -> None:
        """Let the next exchanges of this operation go wrong, after those armed before.

        Between what was armed apart some exchanges are spared, so that clients recover.
        """
        self._armed[operation].extend((fault, n == times) for n in range(1, times + 1))

    def disarm(self) -> None:
        """Forget all faults that have not happened yet: the next one armed is for the next call."""
        self._armed.clear()
        self._spared.clear()

    @property
    def down(self) -> bool:
        """Whether nobody is let through."""
        return self._down

    @down.setter
    def down(self, down: bool) -> None:
        self._down = down
        if down:
            self.cut()

    def cut(self) -> None:
        """Reset all connections that there are; whatever is under way on them is not told."""
        for writer in self._connections.values():
            _reset(writer)

    def next_fault(self, request: Request) -> Fault | None:
        """Take the fault that is to befall this request."""
        if self.paused:
            return None
        for name in (self._operation(request), ANY):
            if self._spared[name]:
                self._spared[name] -= 1
            elif self._armed[name]:
                fault, is_last = self._armed[name].popleft()
                self._spared[name] = SPARED if is_last else 0
                self.applied[fault.name] += 1
                return fault
        return None

    def tell(self, request: Request, reply: Reply) -> None:
        """The client was given this reply."""
        if self._told is not None:
            self._told(request, reply)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            _reset(writer)
            return
        task = asyncio.create_task(self._serve(reader, writer), name="proxy-connection")
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = Upstream(self._upstream)
        try:
            while (request := await read_request(reader)) is not None:
                self.requests += 1
                exchange = _Exchange(self, request, reader, writer, upstream)
                fault = self.next_fault(request)
                if fault is None:
                    await exchange.answer(await exchange.ask())
                    continue
                self.under_way += 1
                try:
                    await fault.apply(exchange)
                finally:
                    self.under_way -= 1
        except (_NoReply, BadMessage, ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            upstream.close()
            writer.close()


class Upstream:
    """The connection to the real server that belongs to one connection of a client."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> Reply:
        """The reply to a request; _NoReply when there is none."""
        kept = self._streams is not None
        try:
            return await self._ask(request)
        except _NoReply:
            if not kept:
                raise
        return await self._ask(request)  # the server had closed a connection that it no longer used

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, request: Request) -> Reply:
        try:
            if self._streams is None:
                where = urlsplit(self._address())
                self._streams = await asyncio.open_connection(
                    where.hostname, where.port, limit=_MOST_HEAD
                )
            reader, writer = self._streams
            writer.write(request.encode())
            await writer.drain()
            reply = await read_reply(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as exc:
            self.close()
            raise _NoReply from exc
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply


class _Exchange:
    """See Exchange."""

    def __init__(
        self,
        proxy: FaultProxy,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: Upstream,
    ) -> None:
        self.request = request
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._upstream = upstream

    async def ask(self, request: Request | None = None) -> Reply:
        """See Exchange."""
        return await self._upstream.ask(request or self.request)

    async def answer(self, reply: Reply) -> None:
        """See Exchange."""
        await self.answer_bytes(reply.encode())
        self.delivered(reply)

    def delivered(self, reply: Reply) -> None:
        """See Exchange."""
        # A client that was killed meanwhile has got nothing.
        if not (self._reader.at_eof() or self._writer.is_closing()):
            self._proxy.tell(self.request, reply)

    async def answer_bytes(self, part: bytes) -> None:
        """See Exchange."""
        if self._writer.is_closing():
            raise ConnectionResetError("the client was cut off")
        self._writer.write(part)
        await self._writer.drain()

    async def hang(self) -> None:
        """See Exchange."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(_MOST_HEAD):
                pass

    def reset(self) -> None:
        """See Exchange."""
        _reset(self._writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a TCP reset, where a plain close would look like an orderly end."""
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()

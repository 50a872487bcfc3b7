"""One HTTP/1.1 connection: one request at a time, one bounded reply to it."""

import asyncio
from collections.abc import Callable, Sequence
from math import inf
from typing import cast

import httptools
import msgspec

from ingestor.adapters.sqs.lean.plain import MOST_HEADER_BYTES, plain_body

MOST_BODY_BYTES = 16 * 1024 * 1024
"""Far more than SQS ever sends: ten messages are 1 MiB together, and six times that escaped."""

_OK = 200


class ConnectionLost(Exception):
    """The connection ended before the reply was complete; the request may have been worked on."""


class UnreadableReply(Exception):
    """What came is no HTTP reply, or a larger one than anybody needs."""


class Reply(msgspec.Struct, eq=False, gc=False):
    """An HTTP reply; its headers are taken apart already (`raw_headers`) or not (`head`)."""

    status: int
    body: bytes
    raw_headers: Sequence[tuple[bytes, bytes]] = ()
    head: bytes = b""

    def header(self, name: str) -> str:
        """The last value of a header, empty without one."""
        wanted = name.encode()
        pairs = self.raw_headers or map(_pair, self.head.split(b"\r\n"))
        values = [value.strip() for each, value in pairs if each.lower() == wanted]
        return values[-1].decode("latin-1") if values else ""


def _pair(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`; `on_lost` is called once, when it has ended.

    `usable` says whether it can carry a further request, `worn_at` (loop time) how long it should,
    and `deadline` when the present one is given up. Anything that comes unasked ends it: it could
    be taken for the reply to the next request.

    Nearly all replies are of one form, which is read without a parser in a third of the time; the
    parser reads all others.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_lost: Callable[..., None]) -> None:
        self.usable = False
        self.deadline = inf
        self.worn_at = inf
        self._loop = loop
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._begun = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._missing = 0
        self._head = b""

    def ask(self, request: bytes, deadline: float) -> asyncio.Future[Reply]:
        """Send a request; the future ends with its reply, or with the reason why none came."""
        self.deadline = deadline
        self._waiter = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            self._end(ConnectionLost("it was closed before"))
        else:
            self._transport.write(request)
        return self._waiter

    def abort(self, reason: Exception | None = None) -> None:
        """End the connection at once, and what is asked over it for this reason."""
        self.usable = False
        self._end(reason or ConnectionLost("we closed it"))
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            self.abort()
            return
        if self._missing:
            self._take(waiter, data)
            return
        if not self._begun and (body := plain_body(data)) is not None:
            start, length = body
            if start + length == len(data):
                waiter.set_result(Reply(_OK, data[start:], (), data[:start]))
                return
            if len(data) < start + length <= MOST_BODY_BYTES:
                self._head = data[:start]
                self._body = []
                self._missing = length
                self._take(waiter, data[start:])
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            # What a callback raises comes wrapped.
            cause = exc.__context__ if isinstance(exc.__context__, UnreadableReply) else None
            self.abort(cause or UnreadableReply(type(exc).__name__))
        else:
            if self._begun and waiter.done():
                self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.BaseProtocol."""
        self.usable = False
        self._end(ConnectionLost(type(exc).__name__ if exc else "the other side closed it"))
        self._on_lost(self)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """The first byte of a reply."""
        self._begun = True
        self._headers = []
        self._header_bytes = 0
        self._body = []
        self._body_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MOST_HEADER_BYTES:
            raise UnreadableReply("its headers are too long")
        self._headers.append((name, value))

    def on_body(self, part: bytes) -> None:
        """A part of the body, without the marks of chunks."""
        self._body_bytes += len(part)
        if self._body_bytes > MOST_BODY_BYTES:
            raise UnreadableReply("it is too long")
        self._body.append(part)

    def on_message_complete(self) -> None:
        """The end of a reply, or of an announcement of one."""
        self._begun = False
        parser = self._parser
        status = parser.get_status_code()
        if status < 200:  # noqa: PLR2004 - 1xx: the reply itself is still to come
            return
        waiter = self._waiter
        if waiter is None or waiter.done():
            raise UnreadableReply("it is a second reply")
        if not parser.should_keep_alive():
            self.usable = False
        body = self._body
        reply = Reply(status, body[0] if len(body) == 1 else b"".join(body), self._headers)
        waiter.set_result(reply)

    def _take(self, waiter: asyncio.Future[Reply], part: bytes) -> None:
        """The next part of a body whose length is known."""
        self._body.append(part)
        self._missing -= len(part)
        if self._missing > 0:
            return
        body = b"".join(self._body)
        waiter.set_result(Reply(_OK, body[: len(body) + self._missing], (), self._head))
        if self._missing:  # something came that nobody asked for
            self.abort()
        self._missing = 0

    def _end(self, reason: Exception) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_exception(reason)

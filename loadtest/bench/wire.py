"""HTTP as far as a canned answerer needs it: whole requests in, ready-made replies out."""

import asyncio
import re
from collections.abc import Callable
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *([^\r]+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *([^\r]+)", re.IGNORECASE)

Reply = Callable[[bytes], None]
Answer = Callable[[bytes, bytes, bytes, Reply], None]
"""Called with the request line, the operation (X-Amz-Target), the body, and where to reply."""


class Wire(asyncio.Protocol):
    """One connection of a canned answerer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        buffer = self._buffer + data if self._buffer else data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = buffer[:end]
            length = _value(head, b"Content-Length: ", _LENGTH)
            start = end + 4
            stop = start + int(length or 0)
            if len(buffer) < stop:
                break
            target = _value(head, b"X-Amz-Target: ", _TARGET).rpartition(b".")[2]
            line = head[: head.find(b"\r\n")]
            body, buffer = buffer[start:stop], buffer[stop:]
            self._answer(line, target, body, self._reply)
        self._buffer = buffer

    def _reply(self, reply: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(reply)


def _value(head: bytes, usual: bytes, pattern: re.Pattern[bytes]) -> bytes:
    """A header's value: found by how it is usually written, or else with a pattern."""
    at = head.find(usual)
    if at < 0:
        found = pattern.search(head)
        return found[1] if found else b""
    at += len(usual)
    end = head.find(b"\r", at)
    return head[at:] if end < 0 else head[at:end]


def reply(body: bytes, content_type: bytes = b"application/x-amz-json-1.0") -> bytes:
    """A reply with this body."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        content_type,
        len(body),
        body,
    )

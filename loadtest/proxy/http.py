"""HTTP/1.1 messages as far as a proxy between well-behaved programs needs them."""

import asyncio
from dataclasses import dataclass, field, replace
from http import HTTPStatus

MOST_BYTES = 64 * 1024 * 1024
"""Longest head or body that is read: more than any program here sends."""

_END = b"\r\n\r\n"
_NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class BadMessage(Exception):
    """What came is not HTTP, or more of it than anybody sends."""


@dataclass(slots=True, frozen=True)
class Request:
    """One request; the names of `headers` are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The request as it goes over the wire, its body in one piece."""
        return _encode(f"{self.method} {self.target} HTTP/1.1", self.headers, self.body)


@dataclass(slots=True, frozen=True)
class Reply:
    """One reply; the names of `headers` are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """The reply as it goes over the wire, its body in one piece."""
        first = f"HTTP/1.1 {self.status} {_phrase(self.status)}"
        if self.status in _NO_BODY:
            return _encode(first, self.headers, None)
        return _encode(first, self.headers, self.body)

    def with_body(self, body: bytes) -> "Reply":
        """The same with another body, and without checksums of the former one."""
        headers = {name: value for name, value in self.headers.items() if name != "x-amz-crc32"}
        return replace(self, headers=headers, body=body)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request on a connection; None when there is no further one."""
    try:
        first, headers = await _read_head(reader)
    except asyncio.IncompleteReadError:
        return None
    method, _, rest = first.partition(" ")
    return Request(method, rest.rpartition(" ")[0], headers, await _read_body(reader, headers))


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """The reply to a request that was sent; IncompleteReadError when it ends too early."""
    first, headers = await _read_head(reader)
    status = int(first.split(" ")[1])
    if status in _NO_BODY:
        return Reply(status, headers)
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return Reply(status, headers, await reader.read(MOST_BYTES))
    return Reply(status, headers, await _read_body(reader, headers))


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    try:
        head = (await reader.readuntil(_END)).decode("latin-1")
    except asyncio.LimitOverrunError as exc:
        raise BadMessage("its head is too long") from exc
    first, *lines = head.rstrip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = int(headers.get("content-length", "0"))
    if length > MOST_BYTES:
        raise BadMessage("its body is too long")
    return await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks: list[bytes] = []
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        chunk = await reader.readexactly(size + 2)
        if not size:
            return b"".join(chunks)
        chunks.append(chunk[:-2])


def _encode(first: str, headers: dict[str, str], body: bytes | None) -> bytes:
    lines = [first]
    lines += [f"{name}: {value}" for name, value in headers.items() if name not in _HOP_BY_HOP]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Whatever"

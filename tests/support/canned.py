"""An HTTP server that answers what it is told, down to the byte, and keeps what it was sent."""

import asyncio
import gzip
from collections import deque
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Self
from urllib.parse import parse_qs, urlsplit

HANG = b"(hang)"
"""At the end of a reply, or alone: nothing more comes for as long as the client waits."""
CUT = b"(cut)"
"""At the end of a reply, or alone: the connection is closed there."""


@dataclass(slots=True, frozen=True)
class Request:
    """One request as received; names of headers are in lower case."""

    target: str
    headers: dict[str, str]
    raw_body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the target."""
        return {key: value for key, (value,) in parse_qs(urlsplit(self.target).query).items()}

    @property
    def body(self) -> bytes:
        """The body, decompressed."""
        compressed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.raw_body) if compressed else self.raw_body


def reply(status: int, body: bytes | str = b"", **headers: str) -> bytes:
    """A complete HTTP response; underscores in names of headers stand for hyphens."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if status != 204:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class CannedServer:
    """Use it within `async with`; it listens on a free port of 127.0.0.1.

    `replies` are sent in turn, then 204 for ever. While `gate` is closed, replies wait for it.
    `most_at_once` is how many requests were waiting for their reply at the same moment.
    """

    replies: deque[bytes] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    most_at_once: int = 0
    tls: SSLContext | None = None

    async def __aenter__(self) -> Self:
        self.gate.set()
        self._waiting = 0
        self._arrived = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        host, port = self._server.sockets[0].getsockname()
        return f"{'https' if self.tls else 'http'}://{host}:{port}"

    async def received(self, count: int) -> None:
        """Return when so many requests have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer), name="canned-connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await _read_request(reader)
                answer = await self._answer_to(request)
                writer.write(answer.removesuffix(HANG).removesuffix(CUT))
                await writer.drain()
                if answer.endswith(HANG):
                    await reader.read()
                if answer.endswith((HANG, CUT)):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):  # the client has gone
            return
        finally:
            writer.close()

    async def _answer_to(self, request: Request) -> bytes:
        async with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        self._waiting += 1
        self.most_at_once = max(self.most_at_once, self._waiting)
        await self.gate.wait()
        self._waiting -= 1
        return self.replies.popleft() if self.replies else reply(204)


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split(" ")[1], headers, body)

"""The sink itself: bodies out, replies in, whatever the API."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

import aiohttp
from isal import igzip
from yarl import URL

from ingestor.core.replies import MOST_BYTES, Judgement, Meaning, Reply, judge
from ingestor.ports import Refused, Unavailable

CONTENT_TYPE = "text/plain; charset=utf-8"
PRECISION = "ns"

COMPRESS_FROM_BYTES = 1024
"""Smaller bodies go as they are: they fit into a packet anyway."""

_LEVEL = 1  # a fifth of the time of zlib's level 1, and a sixth smaller; 3 takes six times as long
_CONTROL_WRITE = b"# Is this the right address, and may we write there?"


class Post(Protocol):
    """What differs between the APIs."""

    async def __call__(self, body: bytes, *, compressed: bool) -> aiohttp.ClientResponse:
        """Send a body, told whether it is compressed with gzip; raises errors of aiohttp."""
        ...


class InfluxDbSink:
    """A `TimeSeriesSink` over HTTP, as an async context manager.

    A body holds all lines of a write. It is refused here, unsent, when it holds a NUL: InfluxDB
    quotes in a header what it refuses, and a header with a NUL is a reply that cannot be read.

    Args:
        post: Sends one body.
        url: Where InfluxDB is, for texts that people read.
        secrets: What must not appear in any text.
        timeout_seconds: What `post` is limited to, for texts that people read.
    """

    def __init__(
        self, post: Post, *, url: str, secrets: Sequence[str], timeout_seconds: float
    ) -> None:
        self._post = post
        self._address = str(URL(url).origin())
        self._secrets = secrets
        self._timeout_seconds = timeout_seconds
        # One thread compresses for a hundred times more than one event loop encodes. Never on the
        # event loop's own thread: ISA-L leaves the upper halves of the processor's vector registers
        # in use, and everything that runs there afterwards takes a seventh longer, for good
        # (measured: `loadtest/README.md`).
        self._compressor = ThreadPoolExecutor(1, thread_name_prefix="influxdb-gzip")

    def __repr__(self) -> str:
        return f"<InfluxDbSink {self._address}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._compressor.shutdown(cancel_futures=True)

    async def write(self, lines: Sequence[bytes]) -> None:
        """See TimeSeriesSink."""
        body = b"\n".join(lines)
        if b"\0" in body:
            raise Refused("it holds the control character U+0000")
        judgement = await self._ask(body)
        match judgement.meaning:
            case Meaning.STORED:
                return
            case Meaning.LATER:
                raise _unavailable(judgement)
            case Meaning.UNCLEAR:
                # If a body without any line is taken at the same address, the lines are to blame.
                await self.ping()
        raise Refused(judgement.text, too_large=judgement.meaning is Meaning.TOO_LARGE)

    async def ping(self) -> None:
        """See TimeSeriesSink. Writes a comment: all is checked that a write is, nothing stored."""
        judgement = await self._ask(_CONTROL_WRITE)
        if judgement.meaning is Meaning.LATER:
            raise _unavailable(judgement)
        if judgement.meaning not in {Meaning.STORED, Meaning.EMPTY}:
            raise Unavailable(f"InfluxDB refuses a write without lines: {judgement.text}")

    async def _ask(self, body: bytes) -> Judgement:
        compressed = len(body) >= COMPRESS_FROM_BYTES
        if compressed:
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._compressor, _gzip, body)
        with self._errors_are_unavailable():
            async with await self._post(body, compressed=compressed) as response:
                reply = await _read(response)
        return judge(reply, secrets=self._secrets)

    @contextmanager
    def _errors_are_unavailable(self) -> Iterator[None]:
        where = f"InfluxDB at {self._address}"
        try:
            yield
        except TimeoutError as exc:
            reason = f"{where} did not answer within {self._timeout_seconds:g} s"
            raise Unavailable(reason) from exc
        except aiohttp.ClientConnectorCertificateError as exc:
            reason = (
                f"{where} shows a certificate that nobody we trust has signed, or another host's: "
                "name the file of its authority in SSL_CERT_FILE"
            )
            raise Unavailable(reason) from exc
        except aiohttp.ClientConnectorError as exc:
            why = exc.os_error.strerror or type(exc.os_error).__name__
            raise Unavailable(f"{where} cannot be reached: {why}") from exc
        # ValueError: an address or a header that cannot be sent.
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            reason = f"{where} gave no answer that can be read: {type(exc).__name__}"
            raise Unavailable(reason) from exc


def _gzip(body: bytes) -> bytes:
    return igzip.compress(body, _LEVEL, mtime=0)


async def _read(response: aiohttp.ClientResponse) -> Reply:
    body = b""
    while len(body) < MOST_BYTES and (chunk := await response.content.read(MOST_BYTES - len(body))):
        body += chunk
    headers = response.headers
    return Reply(response.status, body, headers.get("Retry-After"), headers.get("Date"))


def _unavailable(judgement: Judgement) -> Unavailable:
    return Unavailable(judgement.text, retry_after_seconds=judgement.retry_after_seconds)

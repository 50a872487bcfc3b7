"""Calls to SQS over our own HTTP: a tenth of the CPU time of aioboto3's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from random import SystemRandom
from time import time
from typing import Any

import msgspec

from ingestor.adapters.aws import CREDENTIALS, error_answer, short_code, unreadable
from ingestor.adapters.sqs.answers import ReceiveAnswer
from ingestor.adapters.sqs.lean.connection import ConnectionLost, Reply, UnreadableReply
from ingestor.adapters.sqs.lean.credentials import Credentials
from ingestor.adapters.sqs.lean.endpoint import find_endpoint, make_session
from ingestor.adapters.sqs.lean.pool import Pool
from ingestor.adapters.sqs.lean.signing import Keys, Signer
from ingestor.adapters.sqs.lean.skew import Skew
from ingestor.adapters.sqs.lean.unread import SHORT_BYTES, Unread
from ingestor.adapters.sqs.transport import CONNECTIONS, Answer
from ingestor.core.later import Later
from ingestor.core.message import Delivered
from ingestor.ports import Delivery, Unavailable

OPEN_SECONDS = 15.0
PAUSE_SECONDS = 0.2
"""Longest wait before the one repetition after an error of the server."""
REPEATED_BYTES = 1024
"""Longer bodies bring messages: those of deletes, ten of which succeeded, are the same again."""

GOOD_SECONDS = 60.0
"""How long a request that was made ready may wait; SQS accepts a signature of five minutes ago."""

REUSED_SECONDS = 1.0
"""So long all polls are one and the same request."""

_OK = 200
_RECEIVE = "ReceiveMessage"
_SERVER_ERRORS = frozenset({500, 502, 503, 504})
_FORBIDDEN = frozenset({400, 401, 403})
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_encode = msgspec.json.Encoder().encode


@asynccontextmanager
async def open_lean(
    *, wait_seconds: int, pollers: int, endpoint_url: str | None, region_name: str | None
) -> AsyncIterator[tuple["LeanTransport", "LeanTransport"]]:
    """A transport for polls and one for all other calls: see `open_sqs`."""
    del wait_seconds  # every call brings its deadline
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            endpoint = await asyncio.to_thread(
                _look_up, endpoint_url=endpoint_url, region_name=region_name
            )
    except TimeoutError as exc:
        raise Unavailable("botocore's configuration was not read in time.") from exc
    agent = f"ingestor/{version('ingestor')}"
    async with AsyncExitStack() as stack:
        credentials = await stack.enter_async_context(Credentials(make_session))
        skew = Skew()

        async def transport(connections: int) -> LeanTransport:
            pool = await stack.enter_async_context(Pool(endpoint, connections=connections))
            signer = Signer(endpoint, user_agent=agent)
            return LeanTransport(pool, signer, credentials, skew, endpoint.region_name)

        # Two pools, so that a pool full of long polls never delays a delete.
        yield await transport(pollers + 1), await transport(CONNECTIONS)


def _look_up(**options: Any) -> Any:
    return find_endpoint(make_session(), **options)


class Signed(msgspec.Struct, gc=False):
    """A whole request, and until when (loop time) it may be sent."""

    keys: Keys
    request: bytes
    good_until: float


class LeanTransport:
    """A `Transport` over one pool of connections. Made by `open_lean`."""

    def __init__(
        self, pool: Pool, signer: Signer, credentials: Credentials, skew: Skew, region_name: str
    ) -> None:
        self.region_name = region_name
        self._pool = pool
        self._signer = signer
        self._credentials = credentials
        self._skew = skew
        self._loop = asyncio.get_running_loop()
        self._random = SystemRandom()
        self._decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
        self._encoded: tuple[Mapping[str, Any], bytes] = ({}, b"{}")
        self._poll: Signed | None = None
        self._poll_anew_at = 0.0
        self._before: dict[Any, tuple[bytes, Any]] = {}

    async def receive(self, request: Mapping[str, Any], *, seconds: float) -> Delivery:
        """See Transport. It is read when it is iterated over."""
        if request is not self._encoded[0]:  # every poll asks the same
            self._encoded = (request, _encode(request))
            self._poll = None
        body = self._encoded[1]
        poll = self._poll
        if poll is None or self._loop.time() > self._poll_anew_at:
            poll = self._poll = self._signed(_RECEIVE, body)
            self._poll_anew_at = self._loop.time() + REUSED_SECONDS
        reply = await self._ask(_RECEIVE, body, poll, seconds)
        if len(reply) <= SHORT_BYTES:
            return Delivered(self._read_messages(reply).messages or ())
        return Unread(reply, self._read_messages)

    def call(
        self, operation: str, request: Mapping[str, Any], answer: type[Answer], *, seconds: float
    ) -> Awaitable[Answer]:
        """See Transport. Where keys are at hand, the request is signed at once."""
        body = _encode(request)
        signed = self._signed(operation, body)
        return Later(self._call, (operation, body, signed, answer, seconds))

    async def _call(
        self,
        operation: str,
        body: bytes,
        signed: Signed | None,
        answer: type[Answer],
        seconds: float,
    ) -> Answer:
        return self._read(operation, await self._ask(operation, body, signed, seconds), answer)

    async def _ask(
        self, operation: str, body: bytes, signed: Signed | None, seconds: float
    ) -> bytes:
        """The body of the answer to a call."""
        now = self._loop.time()
        deadline = now + seconds
        try:
            if signed is None or now > signed.good_until:
                signed = await self._sign(operation, body, deadline)
            try:
                reply = await self._pool.ask(signed.request, deadline)
            except ConnectionLost:
                reply = await self._once_more(operation, body, None, signed.keys, deadline)
            else:
                if reply.status != _OK:
                    reply = await self._once_more(operation, body, reply, signed.keys, deadline)
        except TimeoutError as exc:
            raise Unavailable(f"SQS did not answer {operation} within {seconds:g} s.") from exc
        except ConnectionLost as exc:
            raise Unavailable(f"SQS cannot be reached for {operation}: {exc}.") from exc
        except UnreadableReply as exc:
            raise unreadable("SQS", operation) from exc
        if reply.status != _OK:
            raise error_answer(
                "SQS",
                operation,
                code=_code_of(reply),
                status=reply.status,
                retry_after=reply.header("retry-after"),
            )
        return reply.body

    def _signed(self, operation: str, body: bytes) -> Signed | None:
        """A request that may be sent for a while; None when keys have to be fetched first."""
        keys = self._credentials.held()
        return None if keys is None else self._signed_with(keys, operation, body)

    async def _sign(self, operation: str, body: bytes, deadline: float) -> Signed:
        """The same, with keys that are waited for."""
        async with asyncio.timeout_at(deadline):
            keys = await self._credentials.get()
        return self._signed_with(keys, operation, body)

    def _signed_with(self, keys: Keys, operation: str, body: bytes) -> Signed:
        request = self._signer.request(operation, body, keys, time() + self._skew.seconds)
        return Signed(keys, request, self._loop.time() + GOOD_SECONDS)

    def _read_messages(self, body: bytes) -> ReceiveAnswer:
        return self._read(_RECEIVE, body, ReceiveAnswer)

    def _read(self, operation: str, body: bytes, answer: type[Answer]) -> Answer:
        """The body as what was asked for; the same bytes as last time are the same object."""
        before = self._before.get(answer)
        if before is not None and before[0] == body:
            known: Answer = before[1]
            return known
        decoder = self._decoders.get(answer)
        if decoder is None:
            decoder = self._decoders[answer] = msgspec.json.Decoder(answer, strict=False)
        try:
            read: Answer = decoder.decode(body)
        except (ValueError, RecursionError) as exc:  # msgspec's own errors are ValueErrors
            raise unreadable("SQS", operation) from exc
        if len(body) <= REPEATED_BYTES:
            self._before[answer] = (body, read)
        return read

    async def _once_more(
        self, operation: str, body: bytes, reply: Reply | None, keys: Keys, deadline: float
    ) -> Reply:
        """Ask again where that promises to help at once; `reply` is None when none came."""
        async with asyncio.timeout_at(deadline):
            if reply is None or reply.status in _SERVER_ERRORS:
                # Everybody's repetitions at different moments: the server may just be starting.
                await asyncio.sleep(self._random.random() * PAUSE_SECONDS)
            elif not await self._mended(reply, keys):
                return reply
        self._poll = None  # it may be what was refused: with other keys, or at another time
        signed = await self._sign(operation, body, deadline)
        return await self._pool.ask(signed.request, deadline, fresh=True)

    async def _mended(self, reply: Reply, keys: Keys) -> bool:
        """Whether the reason for a refusal was ours, and is gone."""
        code = _code_of(reply)
        if reply.status not in _FORBIDDEN or code not in CREDENTIALS | _SKEWED:
            return False
        return self._skew.learn(reply.header("date")) or await self._credentials.replace(keys)


def _code_of(reply: Reply) -> str:
    """The error code of a reply: of the older protocol, of the newer, or that of HTTP."""
    code = reply.header("x-amzn-query-error").partition(";")[0]
    if not code:
        try:
            code = str(msgspec.json.decode(reply.body, type=_ErrorBody).type)
        except (ValueError, RecursionError):
            code = "Unknown"
    return short_code(code)


class _ErrorBody(msgspec.Struct):
    type: str = msgspec.field(default="Unknown", name="__type")

"""Keep-alive connections to one endpoint, as many as are needed and allowed."""

import asyncio
import ssl
from collections import deque
from math import inf
from typing import Self

from ingestor.adapters.aws import UNTRUSTED
from ingestor.adapters.sqs.lean.connection import Connection, ConnectionLost, Reply
from ingestor.adapters.sqs.lean.endpoint import Endpoint

CONNECT_SECONDS = 3.0
LONGEST_USE_SECONDS = 300.0
"""After this a connection is made anew, so that a changed address is noticed."""
CLOSE_SECONDS = 2.0


class Pool:
    """A bounded number of connections, as an async context manager.

    One timer watches over all deadlines: it is set for the nearest one, so that a call costs no
    timer of its own.
    """

    def __init__(self, endpoint: Endpoint, *, connections: int) -> None:
        self._endpoint = endpoint
        self._most = connections
        self._loop = asyncio.get_running_loop()
        self._opened = 0
        self._all: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = inf
        self._closed = asyncio.Event()
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        for connection in tuple(self._all):
            connection.abort()
        if self._timer is not None:
            self._timer.cancel()
        if self._all:
            # The loop calls `connection_lost` in its next turn; never wait for it for ever.
            await asyncio.wait_for(self._closed.wait(), CLOSE_SECONDS)

    async def ask(self, request: bytes, deadline: float, *, fresh: bool = False) -> Reply:
        """Send a request; returns the reply.

        Args:
            request: All of it.
            deadline: Loop time after which it is given up.
            fresh: Use no connection that was used before.

        Raises:
            ConnectionLost: the connection ended, or none could be made.
            TimeoutError: the deadline has passed.
            UnreadableReply: what came is no reply.
        """
        if fresh:
            self._discard_idle()
        connection = self._idle.pop() if self._idle else await self._another(deadline)
        if deadline < self._looks_at:
            self._watch(deadline)
        try:
            return await connection.ask(request, deadline)
        except asyncio.CancelledError:
            connection.abort()  # the reply would be taken for that of the next request
            raise
        finally:
            connection.deadline = inf
            if connection.usable and self._loop.time() < connection.worn_at:
                self._idle.append(connection)
                if self._waiting:
                    self._wake_one()
            else:
                connection.abort()

    async def _another(self, deadline: float) -> Connection:
        """A connection that another call has released, or a new one."""
        async with asyncio.timeout_at(deadline):
            while self._opened >= self._most and not self._idle:
                released: asyncio.Future[None] = self._loop.create_future()
                self._waiting.append(released)
                try:
                    await released
                except asyncio.CancelledError:
                    if released.done() and not released.cancelled():
                        self._wake_one()  # it was woken for nothing: somebody else may go on
                    raise
                finally:
                    if released in self._waiting:
                        self._waiting.remove(released)
            return self._idle.pop() if self._idle else await self._connect()

    async def _connect(self) -> Connection:
        if self._closing:
            raise ConnectionLost("the client is closed")
        self._opened += 1
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop, self._lost),
                    self._endpoint.host,
                    self._endpoint.port,
                    ssl=self._endpoint.tls,
                )
        except TimeoutError as exc:
            self._forget()
            raise ConnectionLost(f"no connection within {CONNECT_SECONDS:g} s") from exc
        except ssl.SSLCertVerificationError as exc:
            self._forget()
            raise ConnectionLost(UNTRUSTED) from exc
        except OSError as exc:  # ssl's other errors are of this kind too
            self._forget()
            raise ConnectionLost(type(exc).__name__) from exc
        except BaseException:
            self._forget()
            raise
        if not connection.usable:  # it has ended already
            self._forget()
            raise ConnectionLost("the other side closed it")
        connection.worn_at = self._loop.time() + LONGEST_USE_SECONDS
        self._all.add(connection)
        return connection

    def _discard_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abort()

    def _lost(self, connection: Connection) -> None:
        if connection not in self._all:
            return  # it ended while it was being made
        self._all.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._forget()
        if self._closing and not self._all:
            self._closed.set()

    def _forget(self) -> None:
        self._opened -= 1
        self._wake_one()

    def _wake_one(self) -> None:
        while self._waiting:
            released = self._waiting.popleft()
            if not released.done():
                released.set_result(None)
                return

    def _watch(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)
        self._looks_at = deadline

    def _expire(self) -> None:
        self._timer = None
        self._looks_at = inf
        now = self._loop.time()
        for connection in tuple(self._all):
            if connection.deadline <= now:
                connection.abort(TimeoutError())
        left = [each.deadline for each in self._all if now < each.deadline < inf]
        if left:
            self._watch(min(left))

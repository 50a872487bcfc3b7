"""Straight into a function of the same process."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from loadtest.fleet.desk import Desk
from loadtest.fleet.plan import Message

Take = Callable[[Sequence[Message]], Awaitable[None]]

_AT_ONCE = 1_000


class Direct:
    """Hands messages to `take`, a thousand at a time at most; it returns when they are accepted."""

    connected = 1

    def __init__(self, desk: Desk, take: Take) -> None:
        self._desk = desk
        self._take = take
        self._inbox: deque[Message] = deque()
        self._filled = asyncio.Event()

    def put(self, messages: Sequence[Message]) -> None:
        """See Way."""
        self._inbox.extend(messages)
        self._filled.set()

    def storm(self) -> None:
        """See Way: there is no connection."""

    async def ready(self) -> None:
        """See Way."""

    async def run(self) -> None:
        """See Way."""
        while True:
            await self._filled.wait()
            while self._inbox:
                batch = [self._inbox.popleft() for _ in range(min(_AT_ONCE, len(self._inbox)))]
                self._desk.begin(batch)
                self._desk.waiting = 1
                await self._take(batch)
                self._desk.waiting = 0
                self._desk.done(batch)
            self._filled.clear()

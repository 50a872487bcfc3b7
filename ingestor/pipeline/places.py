"""Places for writes that may be under way at the same time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingestor.core.concurrency import Concurrency


class Places:
    """As many as `concurrency` says at the moment, given in the order in which they were asked for.

    A semaphore whose value changes: where the limit has sunk, those who have a place keep it, and
    nobody new gets one before enough of them have left.
    """

    def __init__(self, concurrency: Concurrency) -> None:
        self.concurrency = concurrency
        self.taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def others_wait(self) -> bool:
        """Whether somebody waits for a place."""
        return bool(self._waiting)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for as long as the block takes."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._give()
        try:
            await turn
            yield
        finally:
            if not turn.cancelled():
                self.taken -= 1
            self._give()

    def _give(self) -> None:
        while self._waiting and self.taken < self.concurrency.limit:
            turn = self._waiting.popleft()
            if not turn.done():  # else its task was cancelled
                turn.set_result(None)
                self.taken += 1

"""Lines into batches, closed in time."""

import asyncio
from collections.abc import Sequence

from ingestor.core.batch import Batch, Batcher
from ingestor.core.message import Message
from ingestor.ports import Clock


class Assembler:
    """Holds the open batch and a short queue of closed ones for the writers.

    `add` suspends while that queue is full: this is how a slow sink slows the pollers down.
    """

    def __init__(self, batcher: Batcher, *, clock: Clock, most_waiting: int) -> None:
        self._batcher = batcher
        self._clock = clock
        self._begun = asyncio.Event()
        self._hurry = False
        self.closed: asyncio.Queue[Batch] = asyncio.Queue(most_waiting)

    @property
    def open_lines(self) -> int:
        """Lines in the open batch."""
        return len(self._batcher)

    async def add(self, lines: Sequence[bytes], owners: Sequence[Message]) -> None:
        """Put lines into the open batch, and every batch that is full by it into the queue."""
        for batch in self._batcher.add(lines, owners, self._clock.monotonic()):
            await self.closed.put(batch)
        if len(self._batcher):
            self._begun.set()
            if self._hurry:
                await self._close()

    async def run(self) -> None:
        """Close batches for their age, until cancelled."""
        while True:
            await self._begun.wait()
            due_at = self._batcher.due_at()
            if due_at is None:
                self._begun.clear()
            elif (left := due_at - self._clock.monotonic()) > 0:
                await self._clock.sleep(left)
            else:
                await self._close()

    async def flush(self) -> None:
        """Close the open batch now, and every later one as soon as it has a line."""
        self._hurry = True
        await self._close()

    async def _close(self) -> None:
        batch = self._batcher.close()
        if batch is not None:
            await self.closed.put(batch)

"""Time that passes only when a test says so."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

TURNS = 50
"""Rounds of the event loop after each wake-up: more than any chain of awaits that we have."""


class FakeClock:
    """The `Clock` of tests: `sleep` ends when `advance` has gone past its end, never by itself."""

    def __init__(self, *, epoch_seconds: int = 1_700_000_000) -> None:
        self._epoch_ns = epoch_seconds * 1_000_000_000
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def __repr__(self) -> str:
        return f"<FakeClock at {self._now} s, {self.sleeping} sleeping>"

    @property
    def sleeping(self) -> int:
        """How many tasks are asleep."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def monotonic(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def time_ns(self) -> int:
        """Virtual nanoseconds since the epoch."""
        return self._epoch_ns + round(self._now * 1e9)

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task until so much virtual time has passed."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    async def settle(self) -> None:
        """Let every task run until all of them wait for time or for one another."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Let so much time pass: sleepers wake in order, each at its own moment, and run."""
        end = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            await self._wake_next()
        self._now = end
        await self.settle()

    async def advance_until(
        self, condition: Callable[[], object], *, most_seconds: float = 3600.0
    ) -> None:
        """Let time pass until the condition is true, from wake-up to wake-up.

        Raises TimeoutError when it still is not after `most_seconds`, or nobody sleeps any more.
        """
        end = self._now + most_seconds
        await self.settle()
        while not condition():
            if not self._sleepers or self._sleepers[0][0] > end:
                raise TimeoutError(f"still not true at {self._now} s, {self.sleeping} sleeping")
            await self._wake_next()

    async def _wake_next(self) -> None:
        """Go to the next moment at which anybody wakes, and let them run."""
        moment = self._sleepers[0][0]
        self._now = max(self._now, moment)
        woken = False
        while self._sleepers and self._sleepers[0][0] <= moment:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
                woken = True
        if woken:
            await self.settle()

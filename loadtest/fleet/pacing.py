"""Sends each message of a plan when it is due, whatever became of those before it.

Nothing is left out and nothing is put off because the system is slow: a message that has to wait
counts as late, and its delay from the moment it was due. (Who waits for an answer before looking
at the clock again measures only what the slow system let him measure: coordinated omission.)
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor

from loadtest.fleet.book import Book
from loadtest.fleet.desk import Desk
from loadtest.fleet.plan import Message, Plan, Tick
from loadtest.fleet.ways import Way

MOST_OUTSTANDING_SECONDS = 30.0
"""How far behind the way may be, in seconds of the plan, before no more is handed to it."""

PATIENCE_SECONDS = 60.0
"""How long the end waits for an acknowledgement before it is given up."""

_AHEAD_TICKS = 10
_LEAST_OUTSTANDING = 1_000
_ROUND_SECONDS = 0.01
_FLUSH_SECONDS = 0.25


class Pacer:
    """One run of a plan. `book_seconds` is how long the ledger has taken so far."""

    def __init__(
        self,
        plan: Plan,
        book: Book,
        way: Way,
        desk: Desk,
        executor: Executor,
    ) -> None:
        self.book_seconds = 0.0
        self._plan = plan
        self._book = book
        self._way = way
        self._desk = desk
        self._executor = executor
        self._prepared: asyncio.Queue[Tick | None] = asyncio.Queue(maxsize=_AHEAD_TICKS)
        self._storms = deque(plan.storms)

    async def run(self, stop: asyncio.Event) -> None:
        """Send everything, or until `stop` is set; then wait for the acknowledgements."""
        async with asyncio.TaskGroup() as group:
            prepare = group.create_task(self._prepare(), name="prepare")
            flush = group.create_task(self._flush(), name="acknowledge")
            await self._release(stop)
            prepare.cancel()
            await self._desk.settled(PATIENCE_SECONDS)
            flush.cancel()
        await self._acknowledge()

    async def _prepare(self) -> None:
        """Work out ticks ahead of time, and write them into the ledger."""
        loop = asyncio.get_running_loop()
        ticks = self._plan.ticks()
        while True:
            tick = await loop.run_in_executor(self._executor, self._next, ticks)
            await self._prepared.put(tick)
            if tick is None:
                return

    def _next(self, ticks: Iterator[Tick]) -> Tick | None:
        tick = next(ticks, None)
        if tick is not None:
            begin = time.monotonic()
            self._book.record(tick)
            self.book_seconds += time.monotonic() - begin
        return tick

    async def _release(self, stop: asyncio.Event) -> None:
        tick = await self._prepared.get()
        self._desk.open()  # what is due first lies there when the clock starts
        while tick is not None:
            self._desk.progress.silent += tick.silent
            pending = deque(tick.messages)
            while pending:
                await _sleep(pending[0].due - self._desk.now, stop)
                if stop.is_set():
                    return
                await self._desk.below(self._most_outstanding(tick.end), stop)
                self._put(pending)
            await _sleep(tick.end - self._desk.now, stop)
            if stop.is_set():
                return
            tick = await self._prepared.get()

    def _put(self, pending: deque[Message]) -> None:
        """Hand over all that is due by now."""
        now = self._desk.now
        while self._storms and self._storms[0] <= now:
            self._storms.popleft()
            self._way.storm()
        due = []
        while pending and pending[0].due <= now:
            due.append(pending.popleft())
        progress = self._desk.progress
        progress.due += len(due)
        progress.copies += sum(message.copy for message in due)
        progress.poison += sum(bool(message.expected) for message in due)
        self._way.put(due)

    def _most_outstanding(self, at: float) -> int:
        rate = self._plan.rate(min(at, self._plan.run.seconds - 1e-9))
        return max(_LEAST_OUTSTANDING, int(rate * MOST_OUTSTANDING_SECONDS))

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self._acknowledge()

    async def _acknowledge(self) -> None:
        rows = self._desk.take_acknowledged()
        if rows:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, self._write, rows)

    def _write(self, rows: list[int]) -> None:
        begin = time.monotonic()
        self._book.acknowledge(rows)
        self.book_seconds += time.monotonic() - begin


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Sleep, but not when `stop` is set; what is due within a round is sent together."""
    if seconds <= 0:
        return
    try:
        async with asyncio.timeout(max(seconds, _ROUND_SECONDS)):
            await stop.wait()
    except TimeoutError:
        return

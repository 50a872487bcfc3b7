"""Sends each message of a plan when it is due, whatever became of those before it.

Nothing is left out and nothing is put off because the system is slow: a message that has to wait
counts as late, and its delay from the moment it was due. (Who waits for an answer before looking
at the clock again measures only what the slow system let him measure: coordinated omission.)
"""

import asyncio
import time
from collections import deque

from loadtest.fleet.desk import Desk
from loadtest.fleet.plan import Message, Plan
from loadtest.fleet.replay import Replay, enter
from loadtest.fleet.ways import Way
from loadtest.ledger.book import Book

MOST_OUTSTANDING_SECONDS = 30.0
"""How far behind the way may be, in seconds of the plan, before no more is handed to it."""
PATIENCE_SECONDS = 60.0
"""How long the end waits for an acknowledgement before it is given up."""

_AHEAD_SECONDS = 0.2
_LEAST_OUTSTANDING = 1_000
_MOST_OUTSTANDING = 50_000
"""About a kilobyte of memory each."""
_ROUND_SECONDS = 0.01
_FLUSH_SECONDS = 0.25


class Pacer:
    """One run of a plan, or the rest of one that was cut off, by its `replay`.

    `book_seconds` is how long the ledger has taken so far.

    The ledger is written by the event loop itself. In a thread it would wait for the interpreter
    at every row, as SQLite lets go of it at each.
    """

    def __init__(
        self, plan: Plan, book: Book, way: Way, desk: Desk, replay: Replay | None = None
    ) -> None:
        self.book_seconds = 0.0
        self._plan = plan
        self._book = book
        self._way = way
        self._desk = desk
        self._ticks = plan.ticks()
        self._pending: deque[Message] = deque()
        self._planned_until = 0.0
        self._replay = replay
        self._begins_at = replay.begins_at if replay is not None else 0.0
        self._storms = deque(at for at in plan.storms if at >= self._begins_at)

    async def run(self, stop: asyncio.Event) -> None:
        """Send everything, or until `stop` is set; then wait for the acknowledgements."""
        more = self._prepare()
        async with asyncio.TaskGroup() as group:
            flush = group.create_task(self._flush(), name="acknowledge")
            self._desk.open(self._begins_at)
            while (more or self._pending) and not stop.is_set():
                now = self._desk.now
                if more and self._planned_until < now + _AHEAD_SECONDS:
                    more = self._prepare()
                await self._desk.below(self._most_outstanding(now), stop)
                self._put()
                await _sleep(self._wait_seconds(more=more), stop)
            await self._desk.settled(PATIENCE_SECONDS)
            flush.cancel()
        self._acknowledge()

    def _prepare(self) -> bool:
        """Work out the next tick and write it into the ledger; False when there is none."""
        tick = next(self._ticks, None)
        if tick is None:
            return False
        begin = time.monotonic()
        if self._replay is not None and tick.number < self._replay.ticks:
            self._replay.take(tick)
        else:
            enter(self._book, tick)
        self.book_seconds += time.monotonic() - begin
        self._pending.extend(tick.messages)
        self._planned_until = tick.end
        self._desk.progress.silent += tick.silent
        return True

    def _wait_seconds(self, *, more: bool) -> float:
        """How long there is nothing to do; what is due within a round is sent together."""
        now = self._desk.now
        if more and self._planned_until < now + _AHEAD_SECONDS:
            return 0.0
        due = self._pending[0].due if self._pending else self._planned_until
        ahead = self._planned_until - _AHEAD_SECONDS if more else due
        return max(_ROUND_SECONDS, min(due, max(ahead, now)) - now)

    def _put(self) -> None:
        """Hand over all that is due by now."""
        now = self._desk.now
        while self._storms and self._storms[0] <= now:
            self._storms.popleft()
            self._way.storm()
        due = []
        while self._pending and self._pending[0].due <= now:
            due.append(self._pending.popleft())
        progress = self._desk.progress
        progress.due += len(due)
        progress.copies += sum(message.copy for message in due)
        progress.poison += sum(bool(message.expected) for message in due)
        self._way.put(due)

    def _most_outstanding(self, at: float) -> int:
        rate = self._plan.rate(min(at, self._plan.run.seconds - 1e-9))
        wanted = int(rate * MOST_OUTSTANDING_SECONDS)
        return max(_LEAST_OUTSTANDING, min(wanted, _MOST_OUTSTANDING))

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._acknowledge()

    def _acknowledge(self) -> None:
        rows = self._desk.take_acknowledged()
        if rows:
            begin = time.monotonic()
            self._book.acknowledge(rows)
            self.book_seconds += time.monotonic() - begin


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Sleep, but not when `stop` is set; always lets other tasks have their turn."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

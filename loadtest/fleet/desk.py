"""Where messages that are due lie until a way has brought them in."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence

from loadtest.fleet.plan import Message
from loadtest.fleet.progress import Progress

_LOOK_SECONDS = 0.5


class Desk:
    """Counts what begins and what is acknowledged, and tells the ledger.

    `start` is the moment of the loop's clock from which messages are due.
    """

    def __init__(self, progress: Progress, clock: Callable[[], float]) -> None:
        self.progress = progress
        self.throttled = 0
        self.waiting = 0
        """Senders that wait for an acknowledgement at the moment."""
        self.senders = 1
        self._clock = clock
        self._start: float | None = None
        self._acknowledged: deque[int] = deque()
        self._moved = asyncio.Event()

    def open(self, at: float = 0.0) -> None:
        """The run begins now, at this second of its plan."""
        self._start = self._clock() - at

    @property
    def now(self) -> float:
        """Seconds since the start; 0 before it."""
        return 0.0 if self._start is None else self._clock() - self._start

    def begin(self, messages: Sequence[Message]) -> None:
        """These are being sent for the first time."""
        now = self.now
        for message in messages:
            self.progress.begin(now - message.due)

    def done(self, messages: Sequence[Message]) -> None:
        """These were acknowledged."""
        now = self.now
        self.progress.acknowledge([now - message.due for message in messages])
        self._acknowledged.extend(message.row for message in messages if message.row)
        self._moved.set()

    def take_acknowledged(self) -> list[int]:
        """The rows of the ledger that were acknowledged since this was last asked."""
        rows = list(self._acknowledged)
        self._acknowledged.clear()
        return rows

    async def below(self, outstanding: int, stop: asyncio.Event) -> None:
        """Wait until fewer messages than this are due and not acknowledged, or `stop` is set."""
        while self.progress.outstanding >= outstanding and not stop.is_set():
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._moved.wait()

    async def settled(self, patience_seconds: float) -> bool:
        """Wait until all that was due is acknowledged; False when nothing moves for so long."""
        last = -1
        while self.progress.outstanding:
            self._moved.clear()
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._moved.wait()
            except TimeoutError:
                if self.progress.acknowledged == last:
                    return False
            last = self.progress.acknowledged
        return True

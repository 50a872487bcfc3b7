"""Ctrl-C and SIGTERM while a run goes on: once for a clean end, twice for an end at once."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupts:
    """What signals mean at the moment.

    Within `asking(stop)` the first signal sets `stop`. Otherwise, and the second time, a signal
    cancels the task that opened `interrupts`, whose context managers then clean up. Further ones
    do nothing, because cleaning up is bounded and must not be disturbed.
    """

    def __init__(self, task: asyncio.Task[object]) -> None:
        self._task = task
        self._stop: asyncio.Event | None = None
        self._cancelled = False

    @contextmanager
    def asking(self, stop: asyncio.Event) -> Iterator[None]:
        """Within the block there is something to be brought to a clean end."""
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None

    def handle(self) -> None:
        """A signal has come."""
        if self._stop is not None and not self._stop.is_set():
            self._stop.set()
        elif not self._cancelled:
            self._cancelled = True
            self._task.cancel()


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Take SIGINT and SIGTERM within the block, which must be in a task."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("interrupts() needs a running task")
    loop = asyncio.get_running_loop()
    handler = Interrupts(task)
    signals = (signal.SIGINT, signal.SIGTERM)
    for each in signals:
        loop.add_signal_handler(each, handler.handle)
    try:
        yield handler
    finally:
        for each in signals:
            loop.remove_signal_handler(each)

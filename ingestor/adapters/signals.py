"""SIGTERM, SIGINT and the end of a parent as calls."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_signals(stop: Callable[[], None], abort: Callable[[], None]) -> Iterator[None]:
    """Within the block, the first signal calls `stop` and every further one `abort`.

    Both are called on the running event loop. The handlers of before are restored afterwards.
    """
    loop = asyncio.get_running_loop()
    received = 0

    def handle() -> None:
        nonlocal received
        received += 1
        (stop if received == 1 else abort)()

    for each in SIGNALS:
        loop.add_signal_handler(each, handle)
    try:
        yield
    finally:
        for each in SIGNALS:
            loop.remove_signal_handler(each)


@contextmanager
def on_end(descriptor: int, stop: Callable[[], None]) -> Iterator[None]:
    """Within the block, `stop` is called when the other side of a pipe is closed."""
    loop = asyncio.get_running_loop()

    def handle() -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            stop()

    loop.add_reader(descriptor, handle)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)

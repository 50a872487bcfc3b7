"""Ends the process when its event loop no longer turns."""

import asyncio
import contextlib
import faulthandler
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BEATS = 5
"""How often the loop has to report within the time limit; one report in time is enough."""


@asynccontextmanager
async def watchdog(seconds: float) -> AsyncIterator[None]:
    """Within the block the loop has to turn at least once in so many seconds.

    Otherwise the stacks of all threads go to standard error and the process ends with status 1,
    without a further word: a loop that is stuck cannot answer probes, and cannot stop either. The
    thread that watches is the interpreter's own and needs no lock of it. One block at a time.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    task = asyncio.create_task(_beat(seconds), name="watchdog")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        faulthandler.cancel_dump_traceback_later()


async def _beat(seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds / BEATS)
        faulthandler.dump_traceback_later(seconds, exit=True)

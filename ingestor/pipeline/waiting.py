"""Waiting with a deadline, on the pipeline's own clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from ingestor.ports import Clock


def set_event(event: asyncio.Event, *, on: bool) -> None:
    """Set an event, or clear it."""
    if on:
        event.set()
    else:
        event.clear()


async def within(clock: Clock, seconds: float, waiting: Coroutine[Any, Any, Any]) -> bool:
    """Await `waiting` for at most so many seconds; True when it ended in time.

    It is cancelled when it did not. Its exception, if it ends with one, is raised here.
    """
    wanted = asyncio.create_task(waiting, name="within-wanted")
    deadline = asyncio.create_task(clock.sleep(max(0.0, seconds)), name="within-deadline")
    both = {wanted, deadline}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            wanted.result()
            return True
        return False
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)

"""What signals mean to a run."""

import asyncio
import os
import signal

import pytest

from loadtest.interrupts import interrupts


async def test_the_first_signal_asks_for_a_clean_end() -> None:
    """Where something can be brought to an end, one signal sets the event and no more."""
    stop = asyncio.Event()
    with interrupts() as signals, signals.asking(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()

    assert stop.is_set()


async def test_the_second_signal_cancels() -> None:
    """A signal after the first ends the task at once, and further ones let it clean up."""
    stop = asyncio.Event()
    cleaned_up = asyncio.Event()

    async def run() -> None:
        with interrupts() as signals, signals.asking(stop):
            os.kill(os.getpid(), signal.SIGINT)
            await stop.wait()
            os.kill(os.getpid(), signal.SIGINT)
            try:
                await asyncio.Event().wait()
            finally:
                signals.handle()
                await asyncio.sleep(0)
                cleaned_up.set()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(run())
    assert cleaned_up.is_set()


async def test_a_signal_before_there_is_anything_to_end_cancels() -> None:
    """While servers are still starting, one signal is enough."""

    async def run() -> None:
        with interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(run())


def test_it_needs_a_task() -> None:
    """Outside of a running task there is nothing to cancel."""
    with pytest.raises(RuntimeError), interrupts():
        pass

"""Waiting with a deadline."""

import asyncio

import pytest

from ingestor.adapters.memory import FakeClock
from ingestor.pipeline.waiting import within


async def test_in_time() -> None:
    """What ends before the deadline is a yes."""
    clock = FakeClock()
    waiting = asyncio.create_task(within(clock, 5, clock.sleep(4)), name="within")

    await clock.advance(4)

    assert await waiting
    assert clock.sleeping == 0


async def test_too_late() -> None:
    """What does not end in time is cancelled, and a no."""
    clock = FakeClock()
    waiting = asyncio.create_task(within(clock, 5, clock.sleep(6)), name="within")

    await clock.advance(5)

    assert not await waiting
    assert clock.sleeping == 0


async def test_failure() -> None:
    """The exception of what was waited for comes out."""

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await within(FakeClock(), 5, fail())


async def test_no_time_left() -> None:
    """A deadline that has passed is met by what is already there only."""
    clock = FakeClock()
    event = asyncio.Event()

    assert not await within(clock, -1, event.wait())

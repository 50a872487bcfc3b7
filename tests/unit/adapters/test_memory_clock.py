"""Virtual time."""

import asyncio

import pytest

from ingestor.adapters.memory import FakeClock


async def test_sleepers_wake_in_order_at_their_own_moment() -> None:
    """Advancing far stops at each sleeper's moment, whoever slept first."""
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper("late", 3))
        tasks.create_task(sleeper("early", 1))
        tasks.create_task(sleeper("early too", 1))
        await clock.advance(5)

    assert woken == [("early", 1.0), ("early too", 1.0), ("late", 3.0)]
    assert clock.monotonic() == 5.0


async def test_a_sleeper_that_sleeps_again_wakes_again_within_one_advance() -> None:
    """Ten seconds hold ten sleeps of one second."""
    clock = FakeClock()
    ticks: list[float] = []

    async def ticker() -> None:
        while len(ticks) < 10:
            await clock.sleep(1)
            ticks.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ticker())
        await clock.advance(10)

    assert ticks == [float(n) for n in range(1, 11)]


async def test_a_cancelled_sleeper_is_not_woken() -> None:
    """Cancelling ends the sleep at once, and leaves nothing asleep."""
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1))
    await clock.settle()
    task.cancel()
    await clock.advance(2)

    assert task.cancelled()
    assert clock.sleeping == 0


async def test_sleeping_for_nothing_lets_others_run() -> None:
    """As with asyncio.sleep(0)."""
    clock = FakeClock()
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await clock.sleep(0)

    assert ran.is_set()


async def test_advances_until_something_is_true() -> None:
    """Time stands where the condition became true."""
    clock = FakeClock()
    done = asyncio.Event()

    async def worker() -> None:
        await clock.sleep(2.5)
        done.set()
        await clock.sleep(100)

    task = asyncio.create_task(worker())
    await clock.advance_until(done.is_set)
    task.cancel()

    assert clock.monotonic() == 2.5


async def test_gives_up_when_it_never_becomes_true() -> None:
    """Whether nobody sleeps, or all sleep for longer."""
    clock = FakeClock()
    with pytest.raises(TimeoutError, match="0 sleeping"):
        await clock.advance_until(lambda: False)
    task = asyncio.create_task(clock.sleep(10))
    with pytest.raises(TimeoutError, match="1 sleeping"):
        await clock.advance_until(lambda: False, most_seconds=5)
    task.cancel()


async def test_both_clocks_move_together() -> None:
    """The epoch clock is as far on as the monotonic one."""
    clock = FakeClock(epoch_seconds=1000)
    await clock.advance(1.5)

    assert clock.time_ns() == 1_001_500_000_000
    assert repr(clock) == "<FakeClock at 1.5 s, 0 sleeping>"

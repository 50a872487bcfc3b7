"""Rows 1 to 7 and 56: services that end at the worst moment."""

import pytest
from faults.conftest import Ground, exit_status
from service.conftest import reading

from loadtest.proxy import Hang

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


async def test_f01_kill_before_write(ground: Ground) -> None:
    """What a service held when it was killed before its write comes again and is stored once."""
    async with ground.service() as service:
        await ground.until(lambda: ground.influxdb.requests)
        ground.influxdb.arm(Hang(applied=False), "write", times=50)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: ground.site.custody.received >= 30)
        await service.kill()
        ground.influxdb.disarm()
        assert await ground.sequences() == []
        await service.restart()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(30))
    assert await ground.stack.take_dead_letters() == []


@pytest.mark.parametrize("applied", [False, True], ids=["f02", "f03"])
async def test_f02_f03_kill_around_the_delete(ground: Ground, *, applied: bool) -> None:
    """A kill after the write, before or after the delete took effect, loses and doubles nothing."""
    ground.sqs.arm(Hang(applied=applied), "DeleteMessageBatch", times=50)
    async with ground.service() as service:
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until_stored(30)
        await ground.until(lambda: ground.sqs.under_way)
        await service.kill()
        ground.sqs.disarm()
        await service.restart()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(30))
    assert await ground.stack.take_dead_letters() == []


async def test_f06_sigterm_with_a_hung_sink(ground: Ground) -> None:
    """A stop whose writes hang ends in time, deletes nothing, and gives everything back at once."""
    async with ground.service(
        STOP_SECONDS="6", RECEIVE_WAIT_SECONDS="1", INFLUXDB_TIMEOUT_SECONDS="60"
    ) as service:
        await ground.until(lambda: ground.influxdb.requests)
        ground.influxdb.arm(Hang(applied=False), "write", times=50)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: ground.site.custody.received >= 30)
        service.terminate()
        assert await exit_status(service, seconds=15) == 0
        backlog = await ground.stack.backlog()

    assert (backlog.waiting, backlog.in_flight) == (30, 0)
    assert await ground.sequences() == []


async def test_f56_two_consumers_one_killed(ground: Ground) -> None:
    """Services come and go beside each other, one by kill: every reading is stored once."""
    async with ground.service() as first, ground.service() as second:
        await ground.send(*(reading(n) for n in range(200)))
        await ground.until_stored(50)
        await first.kill()
        await ground.send(*(reading(n) for n in range(200, 400)))
        async with ground.service() as third:
            await ground.send(*(reading(n) for n in range(400, 600)))
            await second.finish()
            await ground.until_empty()
            await third.finish()

    assert await ground.sequences() == list(range(600))
    assert await ground.stack.take_dead_letters() == []

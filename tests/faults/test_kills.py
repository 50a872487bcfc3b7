"""Rows 1 to 7 and 56: services that end at the worst moment."""

import asyncio
from random import Random

import pytest
from faults.conftest import Ground, exit_status
from service.conftest import reading

from loadtest.proxy import Hang, Latency

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


async def test_f02_kill_between_write_and_delete(ground: Ground) -> None:
    """What was written and not deleted when the service was killed is overwritten by itself."""
    ground.sqs.arm(Hang(applied=False), "DeleteMessageBatch", times=50)
    async with ground.service() as service:
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until_stored(30)
        await ground.until(lambda: ground.sqs.under_way)
        await service.kill()
        ground.sqs.disarm()
        await service.restart()
        await ground.until_empty()
        await service.finish()

    assert ground.site.custody.redelivered >= 30
    assert await ground.sequences() == list(range(30))
    assert await ground.stack.take_dead_letters() == []


async def test_f03_kill_between_delete_and_reply(ground: Ground) -> None:
    """Whenever a delete takes effect, what it deletes is stored: a kill right then loses nothing.

    Writes are slow, so that a delete that came too early would come before the write.
    """
    ground.sqs.arm(Hang(applied=True), "DeleteMessageBatch", times=50)
    async with ground.service() as service:
        await ground.until(lambda: ground.influxdb.requests)
        ground.influxdb.arm(Latency(1), "write", times=50)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: ground.sqs.under_way)
        await service.kill()
        ground.sqs.disarm()
        ground.influxdb.disarm()
        await service.restart()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(30))
    assert await ground.stack.take_dead_letters() == []


@pytest.mark.timeout(400)  # twenty starts of a process, on a machine that may be busy
async def test_f04_random_kills_under_load(ground: Ground) -> None:
    """Twenty kills at moments of chance, with messages coming all the time: the ledger is exact."""
    await ground.most_receives(100)
    luck = Random(4)  # noqa: S311 - the moments are to be the same in every run
    sent = 0
    async with ground.service(BATCH_SECONDS="0.05") as service:
        for _ in range(20):
            await ground.send(*(reading(sent + n) for n in range(15)))
            sent += 15
            await asyncio.sleep(luck.uniform(0, 0.3))
            await service.kill()
            await service.restart()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(sent))
    assert await ground.stack.take_dead_letters() == []


async def test_f05_sigterm_with_full_buffers(ground: Ground) -> None:
    """A stop writes and deletes what is held, however young its batch is; nothing comes again."""
    async with ground.service(
        BATCH_SECONDS="20", STOP_SECONDS="10", RECEIVE_WAIT_SECONDS="1"
    ) as service:
        await ground.send(*(reading(n) for n in range(300)))
        await ground.until(lambda: ground.site.custody.received >= 300)
        assert await ground.sequences() == []
        await service.finish()
        backlog = await ground.stack.backlog()

    assert (backlog.waiting, backlog.in_flight) == (0, 0)
    assert ground.site.custody.redelivered == 0
    assert await ground.sequences() == list(range(300))


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


async def test_f07_second_sigterm_during_a_write(ground: Ground) -> None:
    """A stop that is cut short amid a write deletes nothing that InfluxDB has not confirmed."""
    async with ground.service(
        STOP_SECONDS="30", RECEIVE_WAIT_SECONDS="1", INFLUXDB_TIMEOUT_SECONDS="60"
    ) as service:
        await ground.until(lambda: ground.influxdb.requests)
        ground.influxdb.arm(Hang(applied=False), "write", times=50)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: ground.site.custody.received >= 30 and ground.influxdb.under_way)
        service.terminate()
        await ground.until_not_ready(service, "draining")
        service.terminate()
        assert await exit_status(service, seconds=20) == 1
        ground.influxdb.disarm()
        assert await ground.sequences() == []
        await service.restart()
        await ground.until_empty()
        await service.finish()

    assert await ground.sequences() == list(range(30))
    assert await ground.stack.take_dead_letters() == []


async def test_f56_two_consumers_one_killed(ground: Ground) -> None:
    """Services come and go beside each other, one killed amid its writes: all is stored once."""
    async with ground.service() as first, ground.service() as second:
        await ground.until(lambda: ground.influxdb.requests >= 2)
        ground.influxdb.arm(Hang(applied=True), "write", times=50)
        await ground.send(*(reading(n) for n in range(200)))
        await ground.until(lambda: ground.site.custody.received >= 200)
        await ground.until_stored(50)
        await first.kill()
        ground.influxdb.disarm()
        await ground.send(*(reading(n) for n in range(200, 400)))
        async with ground.service() as third:
            await ground.send(*(reading(n) for n in range(400, 600)))
            await second.finish()
            await ground.until_empty()
            await third.finish()

    assert ground.site.custody.redelivered > 0
    assert await ground.sequences() == list(range(600))
    assert await ground.stack.take_dead_letters() == []

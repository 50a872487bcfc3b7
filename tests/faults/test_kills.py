"""Rows 1 to 7 and 56: services that end at the worst moment."""

import asyncio
from contextlib import AsyncExitStack
from itertools import count
from random import Random

import pytest
from faults.calls import Held
from faults.conftest import Ground, exit_status
from service.conftest import reading, until

from loadtest.chaos.site import PatientService
from loadtest.proxy import Drip, Hang, Latency, Reset

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

KILLS = 20
STOP_TIMEOUT_SECONDS = 30
"""ECS kills a container that has not stopped by then, unless told otherwise."""


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
        # Deletes that it had sent by then are not to be passed on afterwards.
        await ground.until(lambda: not ground.sqs.under_way)
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
    """Twenty kills of services that have work in hand, messages coming all the time: all exact.

    Three services, so that one can start while the others work: each is killed at a moment of
    chance after it has received something.
    """
    await ground.most_receives(100)
    luck = Random(4)  # noqa: S311 - the moments are to be the same in every run
    numbers, kills = count(), 0
    ground.influxdb.arm(Latency(0.3), "write", times=100_000)  # so that there is work in hand

    async def send() -> None:
        while kills < KILLS:
            if (await ground.stack.backlog()).waiting < 100:
                await ground.send(*(reading(next(numbers)) for _ in range(10)))
            await asyncio.sleep(0.05)

    async def kill_again_and_again(service: PatientService) -> None:
        nonlocal kills
        while kills < KILLS:
            received = service.total("ingestor_received_total")
            await ground.until_total(service, "ingestor_received_total", received + 1)
            await asyncio.sleep(luck.uniform(0, 0.5))
            kills += 1
            await service.kill()
            await service.restart()

    async with AsyncExitStack() as stack:
        services = [
            await stack.enter_async_context(ground.service(BATCH_SECONDS="0.05")) for _ in range(3)
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(send(), name="send")
            for n, service in enumerate(services):
                group.create_task(kill_again_and_again(service), name=f"kill-{n}")
        ground.influxdb.disarm()
        await ground.until_empty()
        for service in services:
            await service.finish()

    assert kills >= KILLS
    assert ground.site.custody.redelivered >= kills
    assert await ground.sequences() == list(range(next(numbers)))
    assert await ground.stack.take_dead_letters() == []


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_f05_sigterm_with_full_buffers(ground: Ground, workers: str) -> None:
    """A stop receives no more, writes and deletes what is held in time; nothing comes again.

    The window, the open batch, the row of closed ones and the writers are full, and more waits in
    the queue; who comes next finds nothing of what was held.
    """
    await ground.visibility(60)
    async with ground.service(
        WORKERS=workers,
        WINDOW_MESSAGES="200",
        WRITERS="2",
        BATCH_LINES="30",
        BATCH_SECONDS="60",
        SELF_REPORT_SECONDS="0",
    ) as service:
        await until(service.ready)  # each of its workers
        write = Held()
        ground.influxdb.arm(write, "write", times=1000)
        await ground.send(*(reading(n) for n in range(500)))
        await ground.until(
            lambda: (
                ground.site.custody.received >= 200
                and ground.influxdb.under_way >= 2 * int(workers)
            )
        )
        service.terminate()
        write.let_go.set()
        assert await exit_status(service, seconds=STOP_TIMEOUT_SECONDS) == 0
        received = ground.site.custody.received
        backlog = await ground.stack.backlog()
        assert (backlog.waiting, backlog.in_flight) == (500 - received, 0)
        assert backlog.waiting > 0
        assert len(await ground.sequences()) == received
        ground.influxdb.disarm()
        await service.restart()
        await ground.until(lambda: ground.site.custody.received >= 500)
        await service.finish()

    assert ground.site.custody.redelivered == 0
    assert await ground.sequences() == list(range(500))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_f05_sigterm_amid_calls(ground: Ground, workers: str) -> None:
    """A stop while answers of receives and deletes are under way, or lost: nothing comes again."""
    await ground.visibility(60)
    async with ground.service(WORKERS=workers) as service:
        await until(service.ready)  # each of its workers
        ground.sqs.arm(Reset(applied=True), "DeleteMessageBatch", times=2)
        ground.sqs.arm(Drip(0.3), "DeleteMessageBatch", times=100)
        ground.sqs.arm(Drip(0.3), "ReceiveMessage", times=1000)
        await ground.send(*(reading(n) for n in range(300)))
        await ground.until(
            lambda: ground.site.custody.received >= 40 and ground.sqs.under_way > int(workers)
        )
        service.terminate()
        assert await exit_status(service, seconds=STOP_TIMEOUT_SECONDS) == 0
        ground.sqs.disarm()
        received = ground.site.custody.received
        backlog = await ground.stack.backlog()
        assert (backlog.waiting, backlog.in_flight) == (300 - received, 0)
        assert len(await ground.sequences()) == received
        await service.restart()
        await ground.until_empty()
        await service.finish()

    assert ground.sqs.applied["reset-after-applied"] == 2
    assert ground.site.custody.redelivered == 0
    assert await ground.sequences() == list(range(300))


async def test_f06_sigterm_with_a_hung_sink(ground: Ground) -> None:
    """A stop whose writes hang ends in time, deletes nothing, and gives everything back at once."""
    await ground.visibility(60)  # by themselves they would not be back when it is looked
    async with ground.service(
        STOP_SECONDS="6", RECEIVE_WAIT_SECONDS="1", INFLUXDB_TIMEOUT_SECONDS="60"
    ) as service:
        await ground.until(lambda: ground.influxdb.requests)
        ground.influxdb.arm(Hang(applied=False), "write", times=50)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: ground.site.custody.received >= 30)
        service.terminate()
        assert await exit_status(service, seconds=STOP_TIMEOUT_SECONDS) == 0
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

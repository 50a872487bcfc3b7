"""Signals, kills and outages, with real processes under load."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import aiohttp
import pytest
from service.conftest import Site, reading, until

from loadtest.servers import free_port
from loadtest.service import Service

pytestmark = pytest.mark.servers


@asynccontextmanager
async def load(site: Site) -> AsyncIterator[list[int]]:
    """Send readings all the time; the list grows with the numbers that were sent."""
    sent: list[int] = []
    ended = asyncio.Event()

    async def send() -> None:
        for start in count(step=10):
            if ended.is_set():
                return
            batch = range(start, start + 10)
            await site.send(*(reading(n) for n in batch))
            sent.extend(batch)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(send(), name="load")
    try:
        yield sent
    finally:
        ended.set()  # rather than cancel: what is sent must be known
        await task


async def until_stored(service: Service, least: int) -> None:
    """Wait until the service says that it has stored so many."""

    async def stored() -> bool:
        await service.scrape()
        return service.total("ingestor_stored_total") >= least

    await until(stored)


async def test_sigterm_under_load(site: Site) -> None:
    """SIGTERM amid the load: exit 0, nothing left invisible, nothing delivered twice."""
    async with load(site) as sent:
        async with site.service() as service:
            await until_stored(service, 300)
            await service.finish()
        assert len(sent) > 300
    async with site.service() as second:
        await site.until_empty()
        await second.scrape()
        redelivered = second.total("ingestor_redelivered_total")
        await second.finish()

    assert redelivered == 0
    assert await site.sequences() == sorted(sent)
    assert await site.stack.take_dead_letters() == []


async def test_second_signal_aborts(site: Site) -> None:
    """A stop that cannot finish is ended by a second signal, and nothing is lost by that."""
    async with site.service(RECEIVE_WAIT_SECONDS="1") as service:
        await site.send(*(reading(n) for n in range(5)))
        await until_stored(service, 5)
        os.kill(site.stack.influxd.pid, signal.SIGSTOP)  # answers nothing, refuses nothing
        await site.send(*(reading(n) for n in range(5, 10)))
        await asyncio.sleep(1)
        process = service._process  # noqa: SLF001 - its exit status is what this test is about
        assert process is not None
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(1)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(process.wait) == 1

        os.kill(site.stack.influxd.pid, signal.SIGCONT)
        await service.restart()
        await site.until_empty()
        await service.finish()

    assert await site.sequences() == list(range(10))


async def test_kill_under_load(site: Site) -> None:
    """SIGKILL amid the load loses nothing: what was held comes again."""
    async with load(site) as sent, site.service() as service:
        await until_stored(service, 200)
        await service.kill()
        await service.restart()
        await until_stored(service, 400)
    async with site.service() as second:
        await site.until_empty()
        await second.finish()

    assert await site.sequences() == sorted(sent)
    assert await site.stack.take_dead_letters() == []


async def test_influxdb_down_under_load(site: Site) -> None:
    """While InfluxDB is down the service says why it is not ready; afterwards all is stored."""
    async with site.service() as service, aiohttp.ClientSession() as session:
        async with load(site) as sent:
            await until_stored(service, 100)
            await site.stack.influxd.kill()

            async def says_why() -> bool:
                async with session.get(f"{service.url}/ready") as response:
                    return response.status == 503 and "influxdb" in await response.text()

            await until(says_why)
            await site.stack.influxd.restart()
        await site.until_empty()
        async with session.get(f"{service.url}/ready") as response:
            assert response.status == 200
        await service.scrape()
        redelivered = service.total("ingestor_redelivered_total")
        await service.finish()

    assert await site.sequences() == sorted(sent)
    assert redelivered == 0
    assert await site.stack.take_dead_letters() == []


class Patient(Service):
    """A service that is up when it is alive: ready it never gets here."""

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/live") as response:
            return response.ok


async def test_waits_for_a_queue_that_is_not_there_yet(site: Site) -> None:
    """A service that starts before SQS does is alive, says what it waits for, and can stop."""
    nobody = f"http://127.0.0.1:{free_port()}"
    environment = site.stack.environment() | {"AWS_ENDPOINT_URL": nobody}
    async with Patient(environment) as service, aiohttp.ClientSession() as session:

        async def says_why() -> bool:
            async with session.get(f"{service.url}/ready") as response:
                return "sqs" in await response.text()

        await until(says_why)
        async with session.get(f"{service.url}/api/status") as response:
            status = await response.json()
        assert (status["state"], status["ready"]) == ("starting", False)
        await service.finish()

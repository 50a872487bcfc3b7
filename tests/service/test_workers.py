"""Several workers under a supervisor, with real processes."""

import os
import signal
from pathlib import Path

import aiohttp
import pytest
from service.conftest import Site, reading, until

from loadtest.chaos.site import PatientService
from loadtest.servers import ServerError
from loadtest.service import Service

pytestmark = pytest.mark.servers


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


async def stored(service: Service) -> int:
    """How many messages all workers together have stored."""
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/api/status") as got:
        document = await got.json()
    count: int = document.get("totals", {}).get("stored", 0)
    return count


async def test_the_work_is_shared_and_ends_cleanly(site: Site) -> None:
    """Two workers store everything; a stop leaves nothing behind and nobody running."""
    async with site.service(WORKERS="2") as service:
        workers = children(service.pid)
        assert len(workers) == 2
        await site.send(*(reading(n) for n in range(200)))

        async def done() -> bool:
            return await stored(service) == 200

        await until(done)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{service.url}/metrics") as response:
                text = await response.text()
            async with session.get(f"{service.url}/live") as response:
                assert response.ok
        assert 'ingestor_stored_total{worker="0"}' in text
        assert 'ingestor_stored_total{worker="1"}' in text
        await service.finish()
        assert all(gone(pid) for pid in workers)
    backlog = await site.stack.backlog()
    assert (backlog.waiting, backlog.in_flight) == (0, 0)


async def test_a_stop_amid_the_start(site: Site) -> None:
    """A stop before the workers have begun is a clean one, too."""
    environment = site.stack.environment() | {"INGESTOR_WORKERS": "2"}
    async with PatientService(environment) as service:
        await service.finish()


async def test_a_lost_worker_ends_the_service(site: Site) -> None:
    """Half a service helps nobody: the rest stops cleanly, and the exit code tells."""
    async with site.service(WORKERS="2") as service:
        first, second = children(service.pid)
        os.kill(first, signal.SIGKILL)

        async def ended() -> bool:
            try:
                service.check()
            except ServerError as error:
                return "exit code 1" in str(error)
            return False

        await until(ended)
        assert gone(second)


async def test_workers_do_not_outlive_their_supervisor(site: Site) -> None:
    """Killed, it cannot tell them: they notice."""
    async with site.service(WORKERS="2") as service:
        workers = children(service.pid)
        os.kill(service.pid, signal.SIGKILL)

        async def ended() -> bool:
            return all(gone(pid) for pid in workers)

        await until(ended)

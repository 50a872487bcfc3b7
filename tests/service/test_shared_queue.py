"""The service and the function on one queue, and the death of one of them."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from service.conftest import Site, reading, until

from loadtest.function import Function
from loadtest.service import Service

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(400),  # a zip is built, unpacked and started, perhaps twice
    # aiohttp warns of the body that holds the zip; nothing else runs on this loop meanwhile.
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),
]

LAST = 400


def kill_function(ministack: int) -> int:
    """Kill every process of the function; how many there were."""
    killed = 0
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            is_child = (
                process.name.isdigit()
                and f"\nPPid:\t{ministack}\n" in (process / "status").read_text()
            )
            if is_child and b"ministack-lambda-" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
    return killed


async def kill(victim: str, site: Site, service: Service) -> None:
    """End one of the two at once; the function's processes are started anew by MiniStack."""
    if victim == "service":
        await service.kill()
    else:
        assert kill_function(site.stack.ministack.pid) > 0


@pytest.mark.parametrize("victim", ["service", "function"])
async def test_one_of_two_is_killed(victim: str, site: Site) -> None:
    """While both take from the queue one is killed, and every reading is stored once."""
    sent = 0

    async def send(count: int) -> None:
        nonlocal sent
        await site.send(*(reading(n) for n in range(sent, sent + count)))
        sent += count

    service = site.service()
    async with Function(site.stack, direct=False) as function, service:

        async def both_work() -> bool:
            await send(10)
            await service.scrape()
            by_service = service.total("ingestor_stored_total")
            return 0 < by_service < len(await site.sequences())

        await until(both_work, seconds=240)
        await send(LAST // 2)
        await kill(victim, site, service)
        await send(LAST // 2)
        await site.until_empty()
        await function.finish()

    assert await site.sequences() == list(range(sent))
    assert await site.stack.take_dead_letters() == []

"""Connections: kept, bounded, shared out fairly, and gone at the end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.canned import CannedServer, reply

from ingestor.adapters.sqs.lean import pool as module
from ingestor.adapters.sqs.lean.connection import ConnectionLost, Reply
from ingestor.adapters.sqs.lean.endpoint import Endpoint
from ingestor.adapters.sqs.lean.pool import Pool
from loadtest.servers import free_port

REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
GOOD = reply(200, "{}")
FAR = 30.0


def endpoint(port: int) -> Endpoint:
    """An address of this machine."""
    return Endpoint("127.0.0.1", port, "a", "/", "eu-west-1", None)


@pytest.fixture
async def server() -> AsyncIterator[CannedServer]:
    """Answers everything."""
    async with CannedServer() as made:
        made.replies += [GOOD] * 50
        yield made


@pytest.fixture
async def pool(server: CannedServer) -> AsyncIterator[Pool]:
    """Two connections."""
    async with Pool(endpoint(int(server.url.rpartition(":")[2])), connections=2) as made:
        yield made


async def ask(pool: Pool, seconds: float = FAR) -> Reply:
    """One request."""
    return await pool.ask(REQUEST, asyncio.get_running_loop().time() + seconds)


async def test_no_more_connections_than_allowed(pool: Pool, server: CannedServer) -> None:
    """What is too much waits, and goes on when there is room."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(pool), name="ask") for _ in range(20)]
    assert {task.result().status for task in tasks} == {200}
    assert server.connections == 2
    assert server.most_at_once <= 2


async def test_waiting_for_a_connection_has_an_end(pool: Pool, server: CannedServer) -> None:
    """A pool that is busy for too long is a timeout; it works when it is free again."""
    server.gate.clear()
    async with asyncio.TaskGroup() as group:
        busy = [group.create_task(ask(pool), name="busy") for _ in range(2)]
        await server.received(2)
        with pytest.raises(TimeoutError):
            await ask(pool, 0.05)
        server.gate.set()
    assert {task.result().status for task in busy} == {200}
    assert (await ask(pool)).status == 200


async def test_a_cancelled_wait_keeps_nobody_else_waiting(pool: Pool, server: CannedServer) -> None:
    """Its turn goes to the next one, even when it was called up already."""
    server.gate.clear()
    async with asyncio.TaskGroup() as group:
        busy = [group.create_task(ask(pool), name="busy") for _ in range(2)]
        await server.received(2)
        first = group.create_task(ask(pool), name="first")
        second = group.create_task(ask(pool), name="second")
        await asyncio.sleep(0)
        server.gate.set()
        await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        assert (await second).status == 200
    assert (await ask(pool)).status == 200


async def test_an_old_connection_is_replaced(
    pool: Pool, server: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere by now is noticed in the end."""
    monkeypatch.setattr(module, "LONGEST_USE_SECONDS", -1.0)
    await ask(pool)
    await ask(pool)
    assert server.connections == 2


async def test_failed_connections_take_no_place() -> None:
    """However often it fails, the next attempt is made."""
    async with Pool(endpoint(free_port()), connections=1) as pool:
        for _ in range(3):
            with pytest.raises(ConnectionLost):
                await ask(pool)


async def test_a_server_that_does_not_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting has a time limit of its own, shorter than the call's."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.0)
    async with Pool(endpoint(free_port()), connections=1) as pool:
        with pytest.raises(ConnectionLost, match="no connection within 0 s"):
            await ask(pool)


async def test_nothing_is_left_at_the_end(server: CannedServer) -> None:
    """What is under way ends with the pool, and nothing can be asked afterwards."""
    server.gate.clear()
    async with Pool(endpoint(int(server.url.rpartition(":")[2])), connections=2) as pool:
        under_way = asyncio.create_task(ask(pool), name="under-way")
        await server.received(1)
    with pytest.raises(ConnectionLost):
        await under_way
    with pytest.raises(ConnectionLost, match="the client is closed"):
        await ask(pool)

"""The servers of the local stack start, survive a kill with their data, and leave nothing."""

import contextlib
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from loadtest.servers import Influxd, MiniStack, Moto, ServerError
from loadtest.toolchain import FoundInfluxd

pytestmark = pytest.mark.servers


async def write(server: Influxd, line: str) -> int:
    """Write one line by the server's API, as the service's variables say; the HTTP status."""
    if server.api == "v2":
        path = f"/api/v2/write?org={server.org}&bucket={server.bucket}"
        login = f"Token {server.token}"
    else:
        path = f"/write?db={server.database}"
        login = aiohttp.encode_basic_auth(server.username, server.password)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.url}{path}", data=line, headers={"Authorization": login}
        ) as response,
    ):
        return response.status


@pytest.fixture(params=["influxd_v1", "influxd_v2"])
def influxd(request: pytest.FixtureRequest) -> Influxd:
    """A shared InfluxDB of either API."""
    server: Influxd = request.getfixturevalue(request.param)
    return server


async def test_influxd_round_trip(influxd: Influxd) -> None:
    """What the service's own user writes by the named API comes back from a query."""
    assert await write(influxd, "round_trip,device=a value=1.5 1700000000000000001") == 204
    assert await influxd.query_influxql('SELECT value, device FROM "round_trip"') == [
        {"time": 1700000000000000001, "value": 1.5, "device": "a"}
    ]
    assert await influxd.query_influxql('SELECT value FROM "round_trip" GROUP BY device') == [
        {"time": 1700000000000000001, "value": 1.5, "device": "a"}
    ]


async def test_influxd_query_error(influxd_v1: Influxd) -> None:
    """A query that InfluxDB does not understand says so."""
    with pytest.raises(ServerError, match="SELEKT"):
        await influxd_v1.query_influxql("SELEKT")


async def test_influxd_survives_a_kill(found_influxd: FoundInfluxd) -> None:
    """After SIGKILL and a restart the port, the users and the data are the same."""
    async with Influxd(found_influxd, api="v1") as server:
        url, pid = server.url, server.pid
        await write(server, "kept value=1 1")

        await server.kill()
        with pytest.raises(aiohttp.ClientConnectorError):
            await write(server, "lost value=1 1")
        await server.restart()

        assert url == server.url
        assert pid != server.pid
        assert await server.query_influxql("SELECT * FROM kept") == [{"time": 1, "value": 1}]


async def test_influxd_clear(found_influxd: FoundInfluxd) -> None:
    """Clearing removes what was stored, and keeps the users."""
    async with Influxd(found_influxd, api="v1") as server:
        await write(server, "gone value=1 1")

        await server.clear()

        assert await server.query_influxql("SELECT * FROM gone") == []
        assert await write(server, "next value=1 1") == 204


async def test_influxd_refuses_strangers(influxd_v1: Influxd, influxd_v2: Influxd) -> None:
    """Wrong credentials are refused by both APIs."""
    async with aiohttp.ClientSession() as session:
        v1 = session.post(
            f"{influxd_v1.url}/write?db={influxd_v1.database}",
            data="stranger value=1",
            headers={"Authorization": aiohttp.encode_basic_auth(influxd_v1.username, "wrong")},
        )
        v2 = session.post(
            f"{influxd_v2.url}/api/v2/write?org={influxd_v2.org}&bucket={influxd_v2.bucket}",
            data="stranger value=1",
            headers={"Authorization": "Token wrong"},
        )
        async with v1 as first, v2 as second:
            assert (first.status, second.status) == (401, 401)


async def test_ministack_forgets_on_reset() -> None:
    """A reset removes queues."""
    async with MiniStack() as server, aiohttp.ClientSession() as session:

        async def queues() -> str:
            async with session.post(server.url, data={"Action": "ListQueues"}) as response:
                return await response.text()

        create = {"Action": "CreateQueue", "QueueName": "readings"}
        async with session.post(server.url, data=create) as response:
            response.raise_for_status()
        before = await queues()
        await server.reset()

        assert "/readings" in before
        assert "/readings" not in await queues()


async def test_influxd_2x(tmp_path: Path) -> None:
    """A 2.x is set up with organization, bucket, token, and a user for the v1 API."""
    binary = tmp_path / "influxd"
    script = Path(__file__).parent.parent / "support" / "influxd_2x.py"
    binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    binary.chmod(0o755)

    async with Influxd(binary, api="v2") as server:
        assert await server.query_influxql("SELECT * FROM readings") == []
        await server.clear()
        assert server.environment() == {
            "INGESTOR_INFLUXDB_API": "v2",
            "INGESTOR_INFLUXDB_URL": server.url,
            "INGESTOR_INFLUXDB_ORG": "ingestor",
            "INGESTOR_INFLUXDB_BUCKET": "readings",
            "INGESTOR_INFLUXDB_TOKEN": server.token,
        }


@pytest.mark.parametrize("kind", [MiniStack, Moto])
async def test_listens_on_loopback_only(kind: type[MiniStack | Moto]) -> None:
    """No emulator can be reached from outside the machine."""
    async with kind() as server:
        assert listening_addresses(server.pid) == {"127.0.0.1"}


async def test_influxd_listens_on_loopback_only(influxd_v1: Influxd) -> None:
    """InfluxDB cannot be reached from outside the machine, its own RPC port included."""
    assert listening_addresses(influxd_v1.pid) == {"127.0.0.1"}


def listening_addresses(pid: int) -> set[str]:
    """The IPv4 and IPv6 addresses on which a process listens."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    addresses = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = row.split()
            if columns[3] == "0A" and columns[9] in inodes:
                words = bytes.fromhex(columns[1].split(":")[0])
                raw = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
                addresses.add(socket.inet_ntop(family, raw))
    return addresses

"""The servers of the local stack start, survive a kill with their data, and leave nothing."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from loadtest.servers import Influxd, MiniStack, Moto, Server, ServerError, free_port
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


class Sleeper(Server):
    """A server whose command the test chooses."""

    name = "sleeper"

    def __init__(self, *command: str) -> None:
        self._command = list(command)

    def command(self) -> list[str]:
        """See Server."""
        return [argument.format(port=self.port) for argument in self._command]

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(self.url) as response:
            return response.ok


HTTP_SERVER = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}")


async def test_start_failure_shows_the_log() -> None:
    """A server that ends while starting is an error with the end of its log, and leaves nothing."""
    server = Sleeper(sys.executable, "-c", "raise SystemExit('no licence for this moon')")

    with pytest.raises(ServerError, match=r"(?s)ended while starting.*no licence for this moon"):
        await server.__aenter__()
    assert not server.folder.exists()


async def test_missing_binary() -> None:
    """A command that does not exist is an error of ours."""
    server = Sleeper("/nonexistent/server")

    with pytest.raises(ServerError, match="cannot be started"):
        await server.__aenter__()
    assert not server.folder.exists()


async def test_tries_another_port(tmp_path: Path) -> None:
    """A server that loses its port to somebody else gets another one."""
    script = """
import http.server, pathlib, sys
first = pathlib.Path(sys.argv[2])
if not first.exists():
    first.write_text(sys.argv[1])
    raise SystemExit("bind: address already in use")
http.server.HTTPServer(
    ("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler
).serve_forever()
"""
    first = tmp_path / "first-port"

    async with Sleeper(sys.executable, "-c", script, "{port}", str(first)) as server:
        assert str(server.port) != first.read_text()


async def test_stop_ends_a_server_that_ignores_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server deaf to SIGTERM is killed at the deadline, its children with it."""
    monkeypatch.setattr("loadtest.servers.process.STOP_SECONDS", 0.1)
    deaf = """
import signal, sys, runpy
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.argv[1:1] = ["--bind", "127.0.0.1"]
runpy.run_module("http.server", run_name="__main__")
"""

    async with Sleeper(sys.executable, "-c", deaf, "{port}") as server:
        pid = server.pid
        await server.stop()

        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_nothing_is_left_when_the_user_is_killed() -> None:
    """After SIGKILL of the user its servers, their children and their folders go, too."""
    script = f"""
import asyncio, os, sys
sys.path[:0] = {sys.path!r}
from loadtest.servers import Moto

async def main():
    async with Moto() as server:
        print(server.pid, server.folder, server.port, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
    user = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE
    )
    assert user.stdout is not None
    pid, folder, port = (await user.stdout.readline()).decode().split()
    assert exists(folder)

    user.send_signal(signal.SIGKILL)
    await user.wait()
    # The folder may go while the kernel still takes the killed processes and their sockets down.
    async with asyncio.timeout(30):
        while exists(folder) or group_members(int(pid)):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0.02)

    with pytest.raises(ConnectionRefusedError), socket.socket() as connection:
        connection.connect(("127.0.0.1", int(port)))


def exists(folder: str) -> bool:
    """Whether a folder is there."""
    return Path(folder).exists()


def group_members(group: int) -> list[int]:
    """The processes of a process group that are not zombies which nobody has reaped yet."""
    members = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, _, its_group = status.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                members.append(int(status.parent.name))
    return members


async def test_use_outside_the_block() -> None:
    """Starting without `async with` is refused: nobody would stop the server."""
    server = Sleeper(*HTTP_SERVER)
    async with server:
        pass

    with pytest.raises(ServerError):
        await server.restart()


def test_free_ports_differ() -> None:
    """No port is given out twice in a row."""
    ports = [free_port() for _ in range(50)]

    assert len(ports) == len(set(ports))


def test_free_port_can_be_bound() -> None:
    """A server that reuses addresses, as all do, can bind the port at once."""
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        assert listener.getsockname()[1] > 0

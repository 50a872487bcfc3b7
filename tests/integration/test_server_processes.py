"""A server as a process: how it starts, fails to start, and leaves nothing."""

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

from loadtest.servers import Server, ServerError, free_port

pytestmark = pytest.mark.servers


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

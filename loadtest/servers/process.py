"""The life of one server process: start, health, kill, restart, stop, nothing left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import aiohttp

from loadtest.servers import guard
from loadtest.servers.ports import free_port

START_SECONDS = 60.0
"""How long a server may take to answer: twelve times the slowest one's (influxd 1.8) need."""
STOP_SECONDS = 10.0
_ATTEMPTS = 3
_POLL_SECONDS = 0.02
_LOG_TAIL_LINES = 40


class ServerError(Exception):
    """A server could not be started or set up; the text shows the end of its log."""


class Server(ABC):
    """One server on one free port of 127.0.0.1, as an async context manager.

    Objects are tied to no event loop: a session's fixture may be used from any test's loop.
    One caller at a time. Each server has a folder (its data, log, home and temporary files) that
    goes with it, and a process group of its own, so that Ctrl-C in a terminal reaches its user
    first. If the user dies without stopping it, a guard process does (see `guard`).
    """

    name: str
    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = None
    _guard: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What to run, with `port` and `folder` known. Called for every start."""

    @abstractmethod
    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """Whether the server answers; errors of aiohttp and of the system count as no."""

    def variables(self) -> Mapping[str, str]:
        """Further environment variables for the process."""
        return {}

    async def set_up(self) -> None:  # noqa: B027 - most servers need nothing
        """Create what users need, once, after the first start."""

    @property
    def url(self) -> str:
        """The address of the HTTP API, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where standard output and error go, over all restarts."""
        return self.folder / "server.log"

    def __repr__(self) -> str:
        state = "stopped" if self._process is None else f"pid {self._process.pid} at {self.url}"
        return f"<{type(self).__name__} {state}>"

    async def __aenter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix=f"ingestor-{self.name}-"))
        try:
            self._guard = subprocess.Popen(  # noqa: ASYNC220 - asyncio's is tied to one loop
                [sys.executable, "-I", guard.__file__, str(self.folder)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            await self._start_on_a_free_port()
            await self.set_up()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def kill(self) -> None:
        """End the server with SIGKILL and wait until it is gone; its data stay."""
        self._end_group()

    async def stop(self) -> None:
        """End the server with SIGTERM, or SIGKILL when that takes too long; its data stay."""
        if self._process is None:
            return
        try:
            self._process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            while (  # noqa: ASYNC110 - a process tied to no loop sets no event
                self._process.poll() is None and time.monotonic() < deadline
            ):
                await asyncio.sleep(_POLL_SECONDS)
        finally:  # also when the wait is cancelled
            self._end_group()

    async def restart(self) -> None:
        """Start again on the same port and data, stopping the server first if it runs.

        Returns when it answers; raises ServerError otherwise.
        """
        await self.stop()
        self._spawn()
        await self._until_ready()

    async def _start_on_a_free_port(self) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = free_port()
            self._spawn()
            try:
                await self._until_ready()
            except ServerError:
                lost_the_port = "address already in use" in self._log_text().lower()
                self._end_group()
                if attempt == _ATTEMPTS or not lost_the_port:
                    raise
                self.log.unlink()
            else:
                return

    def _spawn(self) -> None:
        if self._guard is None:
            raise ServerError(f"{self.name} is used outside its `async with` block")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            **self.variables(),
        }
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self.command(),
                    env=environment,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as exc:
                raise ServerError(f"{self.name} cannot be started: {exc}") from exc
        self._tell_guard("watch", self._process.pid)

    async def _until_ready(self) -> None:
        process = self._process
        deadline = time.monotonic() + START_SECONDS
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while time.monotonic() < deadline:
                ready = False
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    ready = await self.is_ready(session)
                # Looked at last: a neighbour may be the one that answers on a port we lost.
                if process is None or process.poll() is not None:
                    raise self._error("ended while starting")
                if ready:
                    return
                await asyncio.sleep(_POLL_SECONDS)
        raise self._error(f"did not answer at {self.url} within {START_SECONDS:.0f} s")

    def _end_group(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with its children, even if it is gone itself
        self._tell_guard("forget", process.pid)  # before its number can be another's
        process.wait()

    def _tell_guard(self, verb: str, group: int) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.write(f"{verb} {group}\n".encode())
            self._guard.stdin.flush()

    async def _close(self) -> None:
        try:
            await self.stop()
        finally:
            if self._guard is not None:
                self._guard.communicate()  # the end of its input: it removes the folder
                self._guard = None

    def _error(self, what: str) -> ServerError:
        tail = "\n".join(self._log_text().splitlines()[-_LOG_TAIL_LINES:])
        return ServerError(f"{self.name} {what}; the end of its log:\n{tail or '(empty)'}")

    def _log_text(self) -> str:
        return self.log.read_text(errors="replace")

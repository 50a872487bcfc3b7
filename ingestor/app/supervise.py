"""Several workers, each a process with a pipeline of its own, under one supervisor.

One Python process uses one core. The supervisor itself stores nothing: it starts the workers,
passes signals on, and answers for all of them at the address of the ops server.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.signals import on_signals
from ingestor.app.console import open_console
from ingestor.app.family import merge_documents, merge_metrics
from ingestor.config import Settings
from ingestor.ops.server import OpsServer, OpsSetupError
from ingestor.ports import Clock
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger

LOOK_EVERY_SECONDS = 1.0
SILENT_SECONDS = 60.0
"""A worker that has not answered for so long is not alive."""
KILL_SECONDS = 5.0
"""What a worker gets beyond the time in which it stops by itself."""

_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_FORGET_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
"""A busy worker may take a while; who edits a record waits for it."""


class WorkerEnded(Exception):
    """A worker ended without being told to."""


def worker_count(settings: Settings) -> int:
    """How many processes the settings ask for; 0 there is one for each core we may use."""
    return settings.workers or len(os.sched_getaffinity(0))


def supervise(settings: Settings) -> int:
    """Run the workers until a signal ends it; 0 after a clean stop of all, 1 otherwise."""
    telemetry = Telemetry(make_logger(settings.log_level, settings.log_format))
    try:
        return asyncio.run(_supervise(settings, telemetry))
    except asyncio.CancelledError:
        telemetry.log.warning("aborted by a second signal")
    except (OpsSetupError, WorkerEnded) as error:
        telemetry.log.error("failed", reason=str(error))  # noqa: TRY400 - said for people
    return 1


class Worker:
    """One process, and what it last said of itself.

    It listens where its socket does, which is made here, so that its port is known and free. Its
    standard input is held open: when that ends, it knows that its supervisor has gone.
    """

    def __init__(self, number: int, process: Process, port: int, now: float) -> None:
        self.number = number
        self.process = process
        self.metrics = b""
        self.document: dict[str, Any] | None = None
        self.not_live: list[str] = []
        self._url = f"http://127.0.0.1:{port}"
        self._heard_at = now

    @classmethod
    async def start(cls, number: int, count: int, clock: Clock) -> "Worker":
        """Start worker `number` of `count`."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ingestor", "work"),
                *("--number", str(number), "--of", str(count)),
                *("--listening", str(listening.fileno())),
                stdin=PIPE,
                pass_fds=(listening.fileno(),),
                start_new_session=True,  # Ctrl-C in a terminal is for the supervisor
            )
            return cls(number, process, listening.getsockname()[1], clock.monotonic())

    async def look(self, session: aiohttp.ClientSession, now: float) -> None:
        """Ask it how it is; without an answer what it said before stays."""
        try:
            async with session.get(f"{self._url}/api/status") as response:
                document = msgspec.json.decode(await response.read(), type=dict[str, Any])
            async with session.get(f"{self._url}/metrics") as response:
                metrics = await response.read()
            async with session.get(f"{self._url}/live") as response:
                live = msgspec.json.decode(await response.read(), type=dict[str, Any])
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError):
            return
        self.document, self.metrics = document, metrics
        self.not_live = [str(each) for each in live.get("reasons", [])]
        self._heard_at = now

    async def forget(self, session: aiohttp.ClientSession, keys: Sequence[str]) -> int | None:
        """Let it drop copies of metadata records; how many there were, None without an answer."""
        try:
            async with session.post(f"{self._url}/forget", json=list(keys)) as response:
                answer = msgspec.json.decode(await response.read(), type=dict[str, int])
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError):
            return None
        return answer.get("dropped")

    def silence(self, now: float) -> list[str]:
        """Why it is taken for dead, if it is."""
        silent = now - self._heard_at
        return [f"it has not answered for {silent:.0f} s"] if silent > SILENT_SECONDS else []

    async def stop(self, seconds: float) -> int:
        """Tell it to stop; returns its exit status. It is killed when it takes too long.

        One that SIGTERM itself has ended had not begun to listen for it, and has received nothing.
        """
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), seconds)
            except TimeoutError:
                self.process.kill()
        code = await self.process.wait()
        return 0 if code == -signal.SIGTERM else code

    def kill(self) -> None:
        """End it at once."""
        if self.process.returncode is None:
            self.process.kill()


class Workers:
    """All workers, for the ops server."""

    def __init__(self, workers: Sequence[Worker], clock: Clock) -> None:
        self._workers = workers
        self._clock = clock

    async def watch(self) -> None:
        """Look at all of them every second, until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            while True:
                now = self._clock.monotonic()
                await asyncio.gather(*(each.look(session, now) for each in self._workers))
                await self._clock.sleep(LOOK_EVERY_SECONDS)

    async def forget(self, keys: Sequence[str]) -> int | None:
        """Let all drop copies of metadata records; None when one of them did not answer."""
        async with aiohttp.ClientSession(timeout=_FORGET_TIMEOUT) as session:
            each = await asyncio.gather(*(one.forget(session, keys) for one in self._workers))
        return None if None in each else sum(count or 0 for count in each)

    def not_live(self) -> list[str]:
        """Why a restart would help."""
        now = self._clock.monotonic()
        return [
            f"worker {each.number}: {reason}"
            for each in self._workers
            for reason in (*each.not_live, *each.silence(now))
        ]

    def not_ready(self) -> list[str]:
        """Why readings do not get through at the moment, or not through all workers."""
        reasons: list[str] = self.document()["not_ready"]
        return reasons

    def metrics(self) -> bytes:
        """The figures of all workers."""
        return merge_metrics(each.metrics for each in self._workers)

    def document(self) -> dict[str, Any]:
        """What `/api/status` answers."""
        known = [each.document for each in self._workers if each.document is not None]
        silent = [
            f"worker {each.number}: starting" for each in self._workers if each.document is None
        ]
        if not known:
            return {"state": "starting", "ready": False, "not_ready": silent}
        merged = merge_documents(known)
        merged["not_ready"] += silent
        merged["ready"] = not merged["not_ready"]
        merged["workers"] = len(self._workers)
        return merged


async def _supervise(settings: Settings, telemetry: Telemetry) -> int:
    clock = SystemClock()
    stop = asyncio.Event()
    task = asyncio.current_task()

    def abort() -> None:
        if task is not None:
            task.cancel()

    count = worker_count(settings)
    workers: list[Worker] = []
    with on_signals(stop.set, abort):
        try:
            for number in range(count):
                workers.append(await Worker.start(number, count, clock))  # noqa: PERF401 - those that started are ended below
            return await _run(settings, telemetry, Workers(workers, clock), workers, stop)
        finally:
            for worker in workers:
                worker.kill()
            await asyncio.gather(*(worker.process.wait() for worker in workers))


async def _run(
    settings: Settings,
    telemetry: Telemetry,
    family: Workers,
    workers: Sequence[Worker],
    stop: asyncio.Event,
) -> int:
    console = open_console(
        settings, telemetry, SystemClock(), status=family.document, forget=family.forget
    )
    async with (
        console as extras,
        OpsServer(
            host=settings.ops_host,
            port=settings.ops_port,
            metrics=family.metrics,
            live=family.not_live,
            ready=family.not_ready,
            status=family.document,
            extras=extras,
        ) as ops,
    ):
        telemetry.log.info("started", status_page=ops.url, workers=len(workers))
        watch = asyncio.create_task(family.watch(), name="watch")
        ends = [
            asyncio.create_task(each.process.wait(), name=f"worker-{each.number}")
            for each in workers
        ]
        stopping = asyncio.create_task(stop.wait(), name="stopping")
        try:
            await asyncio.wait((*ends, stopping, watch), return_when=asyncio.FIRST_COMPLETED)
            ended = [each for each in workers if each.process.returncode is not None]
            if watch.done():
                watch.result()
            seconds = settings.stop_seconds + KILL_SECONDS
            codes = await asyncio.gather(*(each.stop(seconds) for each in workers))
        finally:
            for each in (watch, stopping, *ends):
                each.cancel()
            await asyncio.gather(watch, stopping, *ends, return_exceptions=True)
    if ended and not stop.is_set():
        raise WorkerEnded(
            f"worker {ended[0].number} ended by itself with exit code {ended[0].process.returncode}"
        )
    telemetry.log.info("stopped", exit_codes=codes)
    return int(any(codes))

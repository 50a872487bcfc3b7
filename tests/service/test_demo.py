"""`loadtest demo` as people run it: a process, its signals, its result, and nothing left behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from loadtest.toolchain import FoundInfluxd

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("found_influxd")]


class DemoProcess:
    """A demo whose report, temporary files and processes are all found under `folder`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.output = ""

    async def until(self, text: str) -> None:
        """Read its output up to a line that holds the text."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while text not in (line := (await self.process.stdout.readline()).decode()):
                self.output += line
                assert line, f"the demo ended without saying {text!r}:\n{self.output}"
        self.output += line

    async def end(self) -> int:
        """Read the rest of its output; the exit status."""
        assert self.process.stdout is not None
        async with asyncio.timeout(90):
            self.output += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    def report(self) -> dict[str, object]:
        """The report it has written."""
        content: dict[str, object] = json.loads((self.folder / "build/demo.json").read_text())
        return content

    def temporary_files(self) -> list[Path]:
        """What is left in its folder for temporary files."""
        return list((self.folder / "tmp").iterdir())

    def processes(self) -> list[int]:
        """Processes that it or its children have started and that still run.

        They are known by an environment that names the folder.
        """
        mark = os.fsencode(self.folder)
        return [
            int(process.name)
            for process in Path("/proc").iterdir()
            if process.name.isdigit() and mark in _read(process / "environ")
        ]

    def service(self) -> int:
        """The process id of the service."""
        (service,) = [
            pid
            for pid in self.processes()
            if b"ingestor\0run" in _read(Path(f"/proc/{pid}/cmdline"))
        ]
        return service


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process has ended
        return b""


class Demos:
    """Starts demos in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[DemoProcess] = []

    async def start(self, *arguments: str, **variables: str) -> DemoProcess:
        """`loadtest demo` with arguments and further environment variables."""
        (self.folder / "tmp").mkdir()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loadtest",
            "demo",
            *arguments,
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.folder / "tmp"), **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        demo = DemoProcess(process, self.folder)
        self.started.append(demo)
        return demo


@pytest_asyncio.fixture
async def demos(tmp_path: Path) -> AsyncIterator[Demos]:
    """Starts demos; those that a failed test leaves are killed, which their guards notice."""
    demos = Demos(tmp_path)
    yield demos
    for demo in demos.started:
        if demo.process.returncode is None:
            demo.process.kill()
            await demo.process.communicate()


def assert_exact(report: dict[str, object]) -> None:
    """Everything sent is stored and enriched, and nothing else is."""
    sent = report["sent"]
    assert (report["stored"], report["enriched"]) == (sent, sent)
    assert (report["missing"], report["unexpected"], report["dead_lettered"]) == (0, 0, 0)


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_a_run_is_exact(api: str, found_influxd: FoundInfluxd, demos: Demos) -> None:
    """Every reading of every device arrives once, enriched, by either API, and is reported."""
    assert api in found_influxd.apis
    demo = await demos.start("--duration=6", "--devices=5", INGESTOR_INFLUXDB_API=api)
    await demo.until("Console: http://127.0.0.1:")

    assert await demo.end() == 0, demo.output
    report = demo.report()
    assert set(report) == {
        "sent", "stored", "missing", "unexpected", "dead_lettered", "redelivered", "devices",
        "enriched", "seconds", "rate_per_s", "lag_ms",
    }  # fmt: skip
    assert_exact(report)
    assert report["devices"] == 5
    assert report["sent"] in range(5, 31)  # six each where the machine keeps up
    assert isinstance(report["lag_ms"], dict)
    assert set(report["lag_ms"]) == {"p50", "p99"}
    assert f"({api} API)" in demo.output
    assert (demo.temporary_files(), demo.processes()) == ([], [])


async def test_a_killed_service_loses_nothing(demos: Demos) -> None:
    """The service is killed with messages in its hands, started again, and all is still exact."""
    demo = await demos.start("--duration=6", "--devices=5", "--kill")
    await demo.until("Killing the service")
    await demo.until("The service is back")

    assert await demo.end() == 0, demo.output
    assert_exact(demo.report())
    assert (demo.temporary_files(), demo.processes()) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_one_signal_ends_it_cleanly(number: signal.Signals, demos: Demos) -> None:
    """Without a duration it runs until a signal, then counts and reports as always."""
    demo = await demos.start("--devices=3")
    await demo.until("3 s publishing")
    demo.process.send_signal(number)

    assert await demo.end() == 0, demo.output
    assert_exact(demo.report())
    assert (demo.temporary_files(), demo.processes()) == ([], [])


async def test_two_signals_end_it_at_once(demos: Demos) -> None:
    """The second Ctrl-C waits for nothing and reports nothing, and still cleans up."""
    demo = await demos.start("--devices=3")
    await demo.until("0 s publishing")
    os.kill(demo.service(), signal.SIGSTOP)  # so that the clean end does not come to its end
    await demo.until("3 s publishing")
    demo.process.send_signal(signal.SIGINT)
    await demo.until("waiting for the rest")
    demo.process.send_signal(signal.SIGINT)

    assert await demo.end() == 130, demo.output
    assert "nothing was counted" in demo.output
    assert not (demo.folder / "build/demo.json").exists()
    assert (demo.temporary_files(), demo.processes()) == ([], [])


async def test_a_signal_while_starting_ends_it_at_once(demos: Demos) -> None:
    """Before the devices publish there is nothing to count, so that one signal is enough."""
    demo = await demos.start()
    await demo.until("Starting MiniStack")
    demo.process.send_signal(signal.SIGTERM)

    assert await demo.end() == 130, demo.output
    assert (demo.temporary_files(), demo.processes()) == ([], [])


async def test_a_service_that_dies_is_told(demos: Demos) -> None:
    """When the service ends by itself the run ends with the end of its log, without a traceback."""
    demo = await demos.start("--devices=1")
    await demo.until("0 s publishing")
    os.kill(demo.service(), signal.SIGKILL)

    assert await demo.end() == 1
    assert "ingestor ended by itself with exit code -9; the end of its log:" in demo.output
    assert "Traceback" not in demo.output
    assert (demo.temporary_files(), demo.processes()) == ([], [])


async def test_a_missing_tool_is_told(demos: Demos) -> None:
    """What cannot be found is said in a sentence, with exit status 1."""
    demo = await demos.start(INGESTOR_TEST_INFLUXD="/no/such/influxd")

    assert await demo.end() == 1
    assert "INGESTOR_TEST_INFLUXD: /no/such/influxd does not run" in demo.output
    assert "Traceback" not in demo.output

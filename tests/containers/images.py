"""The images that `make images` has built, run without an engine: `make test-images`.

Not collected by `make test`: building takes minutes, root, and packages of Debian.
"""

import asyncio
import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from loadtest.devices import make_devices
from loadtest.fleet import Fleet
from loadtest.ledger.book import Book
from loadtest.ledger.counts import Counts
from loadtest.ledger.readback import compare
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS
from loadtest.service import Service
from loadtest.stack import Backlog, Stack, open_stack
from loadtest.toolchain import Api, FoundInfluxd

FOLDER = Path(__file__).parents[2] / "build" / "images"
MOST_BYTES = 150_000_000
MOST_START_SECONDS = 2.0
USER = 10001


def buildah(*arguments: str) -> str:
    """Standard output of a buildah command on the storage of `docker/images`."""
    command = [*_BUILDAH, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


_BUILDAH = [
    "buildah", "--storage-driver=vfs", f"--root={FOLDER}/storage", f"--runroot={FOLDER}/run"
]  # fmt: skip


class Container(Service):
    """The service from its image: its own command, user and variables, in a chroot."""

    def __init__(self, container: str, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        self.container = container

    def command(self) -> list[str]:
        """See Server."""
        config = docker_config("ingestor")
        # Its health check asks this port, and the tests run it beside others.
        own = dict(super().variables()) | {"INGESTOR_OPS_HOST": "0.0.0.0"}  # noqa: S104 - as in the image
        variables = [f"--env={name}={value}" for name, value in own.items()]
        run = ["run", "--isolation=chroot", f"--user={config['User']}", *variables]
        return [*_BUILDAH, *run, self.container, "--", *config["Cmd"]]

    def variables(self) -> Mapping[str, str]:
        """Of buildah: none but its own."""
        return {}

    def user_and_group(self) -> tuple[str, str, str]:
        """What the kernel says about whom it runs as, and with which capabilities."""
        lines = Path(f"/proc/{self.process()}/status").read_text().splitlines()
        uid, gid, capabilities = (
            next(line for line in lines if line.startswith(name)).split("\t", 1)[1]
            for name in ("Uid:", "Gid:", "CapEff:")
        )
        return uid, gid, capabilities

    async def finish(self) -> None:
        """Ask the service itself for a clean stop: buildah does not pass signals on."""
        process = self._process
        assert process is not None
        os.kill(self.process(), signal.SIGTERM)
        async with asyncio.timeout(40):
            while process.poll() is None:  # noqa: ASYNC110 - a process sets no event
                await asyncio.sleep(0.05)
        assert process.returncode == 0, self.log.read_text()
        await self.stop()

    def process(self) -> int:
        """The process id of the service in the container."""
        mark = f"INGESTOR_OPS_PORT={self.port}".encode()
        for entry in Path("/proc").iterdir():
            try:
                program = (entry / "cmdline").read_bytes().split(b"\0")[0]
                if program.endswith((b"python", b"python3")) and mark in (
                    (entry / "environ").read_bytes().split(b"\0")
                ):
                    return int(entry.name)
            except OSError:  # it has ended, or is none
                continue
        raise AssertionError("the service does not run")


def docker_config(image: str) -> dict[str, Any]:
    """What the image says about running it."""
    answer: dict[str, Any] = json.loads(buildah("inspect", "--type=image", f"localhost/{image}"))
    config: dict[str, Any] = answer["Docker"]["config"]
    return config


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """A container of the image; its files go with it."""
    name = buildah("from", "localhost/ingestor")
    yield name
    buildah("rm", name)


@pytest.fixture(scope="module")
def root(container: str) -> Path:
    """Where its files are."""
    return Path(buildah("mount", container))


@pytest_asyncio.fixture
async def stack(found_influxd: FoundInfluxd) -> AsyncIterator[Stack]:
    """A fresh stack."""
    api: Api = "v2" if "v2" in found_influxd.apis else "v1"
    async with open_stack(found_influxd, api) as stack:
        yield stack


async def test_the_container_does_the_main_job(
    container: str, root: Path, stack: Stack, tmp_path: Path
) -> None:
    """Twenty devices, the image's own command: the ledger is exact, the stop is clean.

    It runs as nobody, and writes nothing into its own files.
    """
    before = modified(root)
    devices = make_devices(20, RECORDS, seed=1)
    book = Book.create(tmp_path / "ledger.sqlite", {})
    tracker = Tracker(devices, book)
    started = time.monotonic()
    async with Container(container, stack.environment()) as service:
        seconds = time.monotonic() - started
        user = service.user_and_group()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(Fleet(devices, stack.broker, tracker).run(stop), name="fleet")
            await asyncio.sleep(10)
            stop.set()
        async with asyncio.timeout(60):
            while await stack.backlog() != Backlog(0, 0):  # noqa: ASYNC110 - a server sets no event
                await asyncio.sleep(0.1)
        await service.finish()
    with book:
        verdict = await compare(book, devices, stack.influxd, [])
    counts = Counts.of(verdict)
    print(f"main job in the container: {counts}; ready {seconds:.2f} s after its start")  # noqa: T201 - shown by make test-images
    assert counts.exact, verdict.examples
    assert counts.sent >= 180
    assert user == ("\t".join([str(USER)] * 4), "\t".join([str(USER)] * 4), "0" * 16)
    assert modified(root) == before


def modified(root: Path) -> dict[str, float]:
    """The times of all files but those that buildah itself puts in place."""
    return {
        str(path): path.lstat().st_mtime
        for folder in ("etc", "home", "opt", "tmp", "usr", "var")
        for path in (root / folder).rglob("*")
        if path.name not in {"hosts", "hostname", "resolv.conf"} and path.is_file()
    }


def test_it_starts_fast(container: str) -> None:
    """From nothing to an answer; the best of three, since other work shares this machine."""
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        buildah("run", "--isolation=chroot", container, "--", "ingestor", "version")
        seconds.append(time.monotonic() - started)

    print(f"start: {min(seconds):.2f} s")  # noqa: T201 - shown by make test-images
    assert min(seconds) < MOST_START_SECONDS


def test_it_is_small(root: Path) -> None:
    """What a registry keeps and a task downloads is under 150 MB."""
    unpacked = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file())
    tar = ["tar", "-C", str(root), "-c", "."]
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as archive:
        assert archive.stdout is not None
        chunks = iter(partial(archive.stdout.read, 1 << 24), b"")
        packed = sum(len(gzip.compress(chunk, 6)) for chunk in chunks)
    assert archive.returncode == 0

    print(f"image: {packed / 1e6:.0f} MB compressed, {unpacked / 1e6:.0f} MB unpacked")  # noqa: T201 - shown by make test-images
    assert packed < MOST_BYTES


def test_it_holds_the_service_alone(root: Path) -> None:
    """No installer, no load test, no tests, nothing that its user could write to."""
    own = root / "opt" / "ingestor"
    packages = {path.name for path in own.glob("lib/python3.*/site-packages/*")}
    writable = [
        path for path in own.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022
    ]

    assert "ingestor" in packages
    assert not packages & {"pip", "loadtest", "tests", "hatchling"}
    assert not (own / "bin" / "loadtest").exists()
    assert writable == []


def test_it_says_how_to_run_it() -> None:
    """Exec form, a number for a user, a health check, the revision."""
    config = docker_config("ingestor")

    assert config["Cmd"] == ["ingestor", "run"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Healthcheck"]["Test"][:3] == ["CMD", "ingestor", "status"]
    assert len(config["Labels"]["org.opencontainers.image.revision"]) == 40


def test_grafana_has_its_files() -> None:
    """Data source, dashboards and alerts are where Grafana looks for them."""
    name = buildah("from", "localhost/grafana-service")
    root = Path(buildah("mount", name))
    try:
        provisioning = {path.name for path in (root / "etc/grafana/provisioning").rglob("*.yaml")}
        dashboards = {path.name for path in (root / "etc/ingestor/dashboards").iterdir()}
    finally:
        buildah("rm", name)

    assert provisioning == {"influxdb.yaml", "ingestor.yaml", "rules.yaml"}
    assert dashboards == {"fleet.json", "device.json", "ingest.json", "runbook.json"}


async def test_its_health_check_tells_ready_from_not(container: str, stack: Stack) -> None:
    """The very command of the image: 0 while the service is ready, 1 while it is not there."""
    async with Container(container, stack.environment()) as service:
        command = [*docker_config("ingestor")["Healthcheck"]["Test"][1:-1], service.url]
        async with aiohttp.ClientSession() as session:
            assert await service.is_ready(session)
        buildah("run", "--isolation=chroot", container, "--", *command)

    with pytest.raises(subprocess.CalledProcessError):
        buildah("run", "--isolation=chroot", container, "--", *command)

"""The processes of the bench, and what they cost."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from loadtest.servers import Server, ServerError
from loadtest.service import Service

QUEUE_URL = "http://sqs.local/123456789012/bench"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SEED = Path(__file__).with_name("seed")
SEED_BUILD = Path("build/seed")

_SEEN_SECONDS = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Answerer(Server):
    """A canned answerer; over TLS when a certificate is given."""

    def __init__(self, kind: str, *options: str, certificate: Path | None = None) -> None:
        self.name = f"bench-{kind}"
        self._kind = kind
        self._options = options
        self._certificate = certificate
        self._tls = None if certificate is None else ssl.create_default_context(cafile=certificate)

    @property
    def url(self) -> str:
        """See Server."""
        return super().url if self._tls is None else super().url.replace("http:", "https:")

    def command(self) -> list[str]:
        """See Server."""
        port = ["--port", str(self.port)]
        certificate = ["--certificate", str(self._certificate)] if self._certificate else []
        module = [sys.executable, "-m", "loadtest.bench.answerers"]
        return [*module, self._kind, *port, *certificate, *self._options]

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/figures", ssl=self._tls or True) as response:
            return response.ok

    async def figures(self) -> dict[str, int]:
        """What was asked so far."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/figures", ssl=self._tls or True) as response,
        ):
            counts: dict[str, int] = await response.json(content_type=None)
            return counts


class Contender(Server):
    """A process that is measured and has no address of its own."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)

    def command(self) -> list[str]:
        """See Server."""
        return self._command

    def variables(self) -> Mapping[str, str]:
        """See Server."""
        return self._environment

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        del session
        return True

    def check(self) -> None:
        """Raise ServerError, with the end of the log, when the process has ended by itself."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise self._error(f"ended by itself with exit code {code}")


class Sampled(Service):
    """A service that counts what its main thread is busy with; see `sampled`."""

    def command(self) -> list[str]:
        """See Server."""
        return [sys.executable, "-m", "loadtest.bench.sampled", str(self._samples), "run"]

    async def seen(self) -> dict[str, Any]:
        """Samples by stage and CPU seconds since the last time that this was asked."""
        self._samples.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + _SEEN_SECONDS
        while not self._samples.exists():
            self.check()
            if time.monotonic() > deadline:
                raise self._error("did not say what it is busy with")
            await asyncio.sleep(0.02)
        seen: dict[str, Any] = json.loads(self._samples.read_text())
        return seen

    @property
    def _samples(self) -> Path:
        return self.folder / "samples.json"


def service(answerers: Mapping[str, Answerer], environment: Mapping[str, str]) -> Service:
    """The ingestor in front of these answerers."""
    return Service(settings(answerers, environment))


def settings(answerers: Mapping[str, Answerer], environment: Mapping[str, str]) -> dict[str, str]:
    """Its environment."""
    return (
        CREDENTIALS
        | {
            "AWS_ENDPOINT_URL_SQS": answerers["sqs"].url,
            "AWS_ENDPOINT_URL_DYNAMODB": answerers["dynamodb"].url,
            "INGESTOR_QUEUE_URL": QUEUE_URL,
            "INGESTOR_DEAD_LETTER_QUEUE_URL": f"{QUEUE_URL}-dead",
            "INGESTOR_METADATA_TABLE": "bench",
            "INGESTOR_CACHE_TTL_SECONDS": "86400",
            "INGESTOR_SELF_REPORT_SECONDS": "0",
            "INGESTOR_LOG_LEVEL": "warning",
        }
        | dict(environment)
    )


def seed_command() -> list[str]:
    """How to run the 2020 handler; ServerError when node or npm cannot make it ready."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise ServerError("The 2020 handler needs node and npm: install them")
    SEED_BUILD.mkdir(parents=True, exist_ok=True)
    for file in SEED.iterdir():
        shutil.copy(file, SEED_BUILD)
    if not (SEED_BUILD / "node_modules").is_dir():
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        done = subprocess.run(
            [npm, "install", *options], cwd=SEED_BUILD, capture_output=True, check=False
        )
        if done.returncode:
            raise ServerError(f"npm cannot install what the 2020 handler needs: {done.stderr!r}")
    return [node, str((SEED_BUILD / "drive.mjs").absolute())]


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of these processes so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def rss_bytes(pids: Sequence[int]) -> int:
    """Memory of these processes that is in RAM."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES for pid in pids)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    about = Path("/proc/cpuinfo").read_text()
    model = next((x.partition(":")[2] for x in about.splitlines() if "model name" in x), "?")
    return {
        "cpu": model.strip(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "load_at_start": round(os.getloadavg()[0], 2),
    }

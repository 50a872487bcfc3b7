"""The service under test: `ingestor run` as a real process."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from loadtest.servers import Server, ServerError

FINISH_SECONDS = 40.0
"""How long a clean stop may take: the service's own limit is 25 s by default."""

_POLL_SECONDS = 0.02
_SCRAPE = aiohttp.ClientTimeout(total=2)


class Service(Server):
    """One service on the stack that `environment` describes.

    `kill` and `restart` are those of Server; `stop` does not wait for a clean end, `finish` does.
    """

    name = "ingestor"
    up_when = "/ready"
    """The probe that must be fine for a start to be over."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._past: Counter[str] = Counter()
        self._present: dict[str, float] = {}
        self._labelled: dict[tuple[str, str], float] = {}

    def command(self) -> list[str]:
        """See Server."""
        return [sys.executable, "-m", "ingestor", "run"]

    def variables(self) -> Mapping[str, str]:
        """See Server."""
        return self._environment | {
            "INGESTOR_OPS_HOST": "127.0.0.1",
            "INGESTOR_OPS_PORT": str(self.port),
            "INGESTOR_LOG_FORMAT": "json",
        }

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        return await self._says(session, self.up_when)

    @property
    def page(self) -> str:
        """The address of the console."""
        return f"{self.url}/"

    async def kill(self) -> None:
        """See Server."""
        await super().kill()
        self._past.update(self._present)
        self._present = {}

    async def stop(self) -> None:
        """End the service at once."""
        await self.kill()

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        os.kill(self.pid, signal.SIGTERM)

    async def finish(self) -> None:
        """Ask for a clean stop; ServerError when it takes too long or the exit code is not 0."""
        process = self._process
        if process is None:
            raise ServerError(f"{self.name} is not running")
        process.terminate()
        deadline = time.monotonic() + FINISH_SECONDS
        while (code := process.poll()) is None:
            if time.monotonic() > deadline:
                raise self._error(f"did not stop within {FINISH_SECONDS:.0f} s of SIGTERM")
            await asyncio.sleep(_POLL_SECONDS)
        if code != 0:
            raise self._error(f"ended with exit code {code} after SIGTERM")
        await self.stop()

    def check(self) -> None:
        """Raise ServerError, with the end of the log, when the service has ended by itself."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise self._error(f"ended by itself with exit code {code}")

    async def scrape(self) -> None:
        """Read /metrics once; what does not answer keeps the figures of before."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_SCRAPE) as session,
                session.get(f"{self.url}/metrics") as response,
            ):
                text = await response.text()
                if not response.ok:
                    return
        except (aiohttp.ClientError, TimeoutError):
            return
        samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]
        self._present = {each.name: each.value for each in samples if not each.labels}
        self._labelled = {
            (each.name, " ".join(each.labels.values())): each.value
            for each in samples
            if each.labels
        }

    def by_labels(self, counter: str) -> dict[str, int]:
        """A counter by its labels, in this life, as of the last scrape."""
        return {
            labels: int(value)
            for (name, labels), value in self._labelled.items()
            if name == counter and value
        }

    async def ready(self) -> bool:
        """Whether it says that readings get through."""
        try:
            async with aiohttp.ClientSession(timeout=_SCRAPE) as session:
                return await self._says(session, "/ready")
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _says(self, session: aiohttp.ClientSession, probe: str) -> bool:
        async with session.get(f"{self.url}{probe}") as response:
            return response.ok

    def total(self, counter: str) -> int:
        """A counter such as `ingestor_stored_total`, over all lives, as of the last scrapes."""
        return int(self._past[counter] + self._present.get(counter, 0))

    def gauge(self, name: str) -> float:
        """A gauge such as `ingestor_loop_lag_seconds`, as of the last scrape; 0 when not told."""
        return self._present.get(name, 0.0)

"""Carries a schedule out: arms faults, kills, stops, and takes servers away."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loadtest.chaos.load import Load
from loadtest.chaos.schedule import Action, Arm, InfluxdKill, Kill, Outage, Step, Target, Term
from loadtest.chaos.site import Site
from loadtest.servers import ServerError
from loadtest.service import Service

QUIET_SECONDS = 120.0
"""How long a clean stop waits for the faults before it to be over: each ends within seconds."""

_POLL_SECONDS = 0.05
_AMID_SECONDS = 0.2
_AMID_MESSAGES = 300
_KIBIBYTES_PER_MB = 1024


class Driver:
    """Takes each step when as many messages are sent as it says, one step after another.

    The load may run on to the next step meanwhile, so that something is always under way.
    """

    def __init__(
        self, site: Site, service: Service, load: Load, say: Callable[[str], None]
    ) -> None:
        self.doing = "starting"
        self.kills = 0
        self.terms = 0
        self.outages = 0
        self.longest_stop_seconds = 0.0
        self.max_rss_mb = 0.0
        self._site = site
        self._service = service
        self._load = load
        self._say = say
        self._replacing = False

    async def run(self, steps: Sequence[Step]) -> None:
        """Carry all steps out."""
        for n, step in enumerate(steps):
            self.doing = f"step {n + 1} of {len(steps)}"
            await self._load.allow(step.at)
            await self._load.reached(step.at)
            following = steps[n + 1].at if n + 1 < len(steps) else self._load.messages
            await self._load.allow(following)
            await self._perform(step.action)
        self.doing = "sending the rest"
        await self._load.allow(self._load.messages)

    async def supervise(self) -> None:
        """Notice when the service ends by itself, and how large it gets."""
        while True:
            if not self._replacing:
                self._service.check()
                self.max_rss_mb = max(self.max_rss_mb, rss_mb(self._service.pid))
            await asyncio.sleep(_POLL_SECONDS * 5)

    async def take_away(self, target: Target, seconds: float) -> None:
        """Let nobody reach a server for a while."""
        self._say(f"{target} is away for {seconds:.1f} s")
        self.outages += 1
        self._site.proxies[target].down = True
        await asyncio.sleep(seconds)
        self._site.proxies[target].down = False

    async def finish(self) -> None:
        """End the service cleanly, for good."""
        self._replacing = True
        started = time.monotonic()
        await self._service.finish()
        self.longest_stop_seconds = max(self.longest_stop_seconds, time.monotonic() - started)

    async def _perform(self, action: Action) -> None:
        match action:
            case Arm(target, operation, fault, times):
                self._site.proxies[target].arm(fault, operation, times=times)
            case Kill(after_seconds):
                await asyncio.sleep(after_seconds)
                await self._kill()
            case Term():
                await self._stop()
            case InfluxdKill(down_seconds):
                await self._kill_influxd(down_seconds)
            case Outage(target, seconds):
                await self.take_away(target, seconds)

    async def _kill(self) -> None:
        self._say("kill -9 for the service")
        self.kills += 1
        self._replacing = True
        await self._service.kill()
        for proxy in self._site.proxies.values():
            proxy.cut()  # what is still on its way comes too late for anybody
        self._site.custody.killed()
        await self._service.restart()
        self._replacing = False

    async def _stop(self) -> None:
        """SIGTERM amid the load, while nothing else goes wrong."""
        with self._site.quiet():
            await self._until_calm()
            await self._load.allow(self._load.sent + _AMID_MESSAGES)
            await asyncio.sleep(_AMID_SECONDS)
            self._say(f"SIGTERM for the service, which holds {len(self._site.custody)} messages")
            self.terms += 1
            await self.finish()
            self._site.custody.stopped()
            await self._service.restart()
            self._replacing = False

    async def _until_calm(self) -> None:
        """Wait until no call goes wrong any more and the service is ready."""
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            if not self._site.under_way and await self._service.ready():
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise ServerError(f"the service is not ready {QUIET_SECONDS:.0f} s after the last fault")

    async def _kill_influxd(self, down_seconds: float) -> None:
        self._say("kill -9 for influxd")
        self.outages += 1
        await self._site.stack.influxd.kill()
        await asyncio.sleep(down_seconds)
        await self._site.stack.influxd.restart()


def rss_mb(pid: int) -> float:
    """The resident memory of a process; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _KIBIBYTES_PER_MB
    return 0.0

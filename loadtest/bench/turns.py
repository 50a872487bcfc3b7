"""Contenders that stand side by side and work in turn, a short while each.

A shared machine has speeds that differ by a third and change within seconds. Who works in slices,
all others stopped meanwhile, meets all of them as everybody else does.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from loadtest.bench.measured import Measured, measure
from loadtest.bench.processes import Contender, family
from loadtest.servers import Server
from loadtest.service import Service

SLICES = 12
SETTLE_SECONDS = 0.2
"""So long a contender works again before it is looked at: connections and caches are warm then."""

Name = TypeVar("Name")


class Turn:
    """A running contender with the servers that it works against, which can be made to stand still.

    `count` tells how many messages it has dealt with.
    """

    def __init__(
        self,
        contender: Contender | Service,
        servers: Sequence[Server],
        count: Callable[[], Awaitable[int]],
    ) -> None:
        self._contender = contender
        self._count = count
        self._servers = servers

    def pause(self) -> None:
        """Stop it, then its servers; what was on its way to it waits."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let all go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pids = [*family(self._contender.pid), *(server.pid for server in self._servers)]
        for pid in pids:
            os.kill(pid, number)

    def check(self) -> None:
        """Raise ServerError when the contender has ended by itself."""
        self._contender.check()

    async def look(self, seconds: float) -> Measured:
        """Measure it for so long, as it works."""
        return await measure(self._contender, self._count, seconds)

    async def slice(self, seconds: float) -> Measured:
        """Let it work for so long, and a little before, then stop it again."""
        self.resume()
        try:
            await asyncio.sleep(SETTLE_SECONDS)
            return await self.look(seconds)
        finally:
            self.pause()


async def in_turn(turns: Mapping[Name, Turn], seconds: float) -> dict[Name, Measured]:
    """Measure all of them, so long each; the order changes every time. Then all work again."""
    seen: dict[Name, list[Measured]] = {name: [] for name in turns}
    order = list(turns.items())
    try:
        for _, turn in order:
            turn.pause()
        for _ in range(SLICES):
            for name, turn in order:
                seen[name].append(await turn.slice(seconds / SLICES))
            order.reverse()
    finally:
        for _, turn in order:
            turn.resume()  # who stands still does not end either
    return {name: Measured.together(slices) for name, slices in seen.items()}

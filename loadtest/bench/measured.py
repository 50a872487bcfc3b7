"""A look at a contender, and what it came to."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self

from loadtest.bench.processes import Contender, cpu_seconds, family, rss_bytes
from loadtest.service import Service


@dataclass(slots=True, frozen=True)
class Measured:
    """One look at a contender: messages, CPU seconds of its processes, seconds by the clock."""

    messages: int
    cpu_seconds: float
    seconds: float
    rss_bytes: int

    @property
    def per_core(self) -> float:
        """Messages per second that one core has time for."""
        return self.messages / self.cpu_seconds if self.cpu_seconds else 0.0

    @property
    def per_second(self) -> float:
        """Messages per second by the clock, with everything else on the same machine."""
        return self.messages / self.seconds

    @property
    def cores(self) -> float:
        """How many cores it kept busy."""
        return self.cpu_seconds / self.seconds

    @classmethod
    def together(cls, slices: Sequence[Self]) -> Self:
        """Several looks as one; the memory is the most that was seen."""
        return cls(
            sum(each.messages for each in slices),
            sum(each.cpu_seconds for each in slices),
            sum(each.seconds for each in slices),
            max(each.rss_bytes for each in slices),
        )


async def measure(
    contender: Contender | Service, count: Callable[[], Awaitable[int]], seconds: float
) -> Measured:
    """Look at a contender that is at work for so long; `count` tells how many messages it did."""
    pids = family(contender.pid)
    messages, cpu, clock = await count(), cpu_seconds(pids), time.monotonic()
    await asyncio.sleep(seconds)
    measured = Measured(
        await count() - messages,
        cpu_seconds(pids) - cpu,
        time.monotonic() - clock,
        rss_bytes(pids),
    )
    contender.check()
    return measured

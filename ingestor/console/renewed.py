"""Something that is expensive to find out: kept, and renewed while somebody looks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ingestor.ports import Clock, Unavailable

FIRST_SECONDS = 15.0
"""How long the first who asks waits; after that it is told to come again."""
SHARE = 0.1
"""Most of the time that is spent on finding it out."""

Kept = TypeVar("Kept")


class Renewed(Generic[Kept]):
    """Whoever asks gets what is there, and has it renewed when it is older than the TTL.

    Args:
        make: Finds it out; may raise `Unavailable`.
        what: What it is, for people who must wait for it.
        ttl_seconds: How old it may get; older when finding it out takes more than a tenth of that.
        most_seconds: How long finding it out may take.
        clock: What ages are measured on.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[Kept]],
        *,
        what: str,
        ttl_seconds: float,
        most_seconds: float,
        clock: Clock,
    ) -> None:
        self._make = make
        self._what = what
        self._ttl_seconds = ttl_seconds
        self._most_seconds = most_seconds
        self._clock = clock
        self._kept: Kept | None = None
        self._taken_at = 0.0
        self._took_seconds = 0.0
        self._wanted = asyncio.Event()
        self._done = asyncio.Event()
        self._error: Unavailable | None = None

    @property
    def latest(self) -> Kept | None:
        """What is there, however old."""
        return self._kept

    @property
    def age_seconds(self) -> float:
        """How old it is."""
        return max(0.0, self._clock.monotonic() - self._taken_at)

    async def run(self) -> None:
        """Renew it whenever that is wanted, until cancelled."""
        while True:
            await self._wanted.wait()
            begun = self._clock.monotonic()
            try:
                async with asyncio.timeout(self._most_seconds):
                    self._kept = await self._make()
                self._taken_at = begun
                self._error = None
            except TimeoutError:
                self._error = Unavailable(
                    f"{self._what} took longer than {self._most_seconds:g} s."
                )
            except Unavailable as error:
                self._error = error
            finally:
                self._took_seconds = self._clock.monotonic() - begun
                self._wanted.clear()
                self._done.set()
            if self._error is not None:
                await self._clock.sleep(1.0)

    async def get(self) -> Kept:
        """What is there; raises `Unavailable` when there is nothing yet."""
        kept = self._kept
        ttl_seconds = max(self._ttl_seconds, self._took_seconds / SHARE)
        if kept is None or self.age_seconds > ttl_seconds:
            if not self._wanted.is_set():
                self._done.clear()
                self._wanted.set()
            if kept is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FIRST_SECONDS):
                        await self._done.wait()
                kept = self._kept
        if kept is None:
            raise self._error or Unavailable(
                f"{self._what} is under way for the first time; ask again.", retry_after_seconds=3
            )
        return kept

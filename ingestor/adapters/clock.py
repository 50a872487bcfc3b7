"""The machine's clocks."""

import asyncio
import time


class SystemClock:
    """The `Clock` of a running service."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def time_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task."""
        await asyncio.sleep(seconds)

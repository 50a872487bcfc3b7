"""The machine's clocks."""

import asyncio
import time


class SystemClock:
    """The `Clock` of a running service. The time is asked for in every step of it."""

    monotonic = staticmethod(time.monotonic)
    time_ns = staticmethod(time.time_ns)

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task."""
        await asyncio.sleep(seconds)

"""How much waits in the queue."""

from ingestor.pipeline.context import Context
from ingestor.ports import Queue, QueueDepth, Unavailable

EVERY_SECONDS = 5.0


class DepthWatcher:
    """Asks the queue now and then; `latest` is None while it does not know."""

    def __init__(self, *, queue: Queue, context: Context) -> None:
        self._queue = queue
        self._clock = context.clock
        self._telemetry = context.telemetry
        self.latest: QueueDepth | None = None

    async def run(self) -> None:
        """Ask until cancelled. That the queue does not answer is told by those who work with it."""
        while True:
            try:
                self._telemetry.queue_called()
                self.latest = await self._queue.depth()
            except Unavailable:
                self.latest = None
            await self._clock.sleep(EVERY_SECONDS)

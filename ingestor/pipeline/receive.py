"""Long polls: from the queue into the window and on to enrichment."""

from ingestor.core.backoff import Backoff
from ingestor.pipeline.context import Context
from ingestor.pipeline.enrich import Enricher
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.waiting import within
from ingestor.ports import Queue, Unavailable


class Receiver:
    """Polls while the intake is open. Several run side by side, as a task each.

    A poll under way at the stop is awaited, because cancelling it could leave messages invisible
    until their timeout ends.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        intake: Intake,
        enricher: Enricher,
        context: Context,
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._enricher = enricher
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry

    async def run(self) -> None:
        """Poll until the intake stops."""
        backoff = Backoff()
        while True:
            await self._intake.open.wait()
            if self._intake.stopping.is_set():
                return
            try:
                self._telemetry.queue_called()
                messages = await self._queue.receive()
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
                delay = self._context.delay(backoff, error)
                await within(self._clock, delay, self._intake.stopping.wait())
                continue
            backoff.reset()
            self._telemetry.dependency_up("sqs")
            if messages:
                fresh = self._intake.admit(
                    messages, self._clock.monotonic(), self._queue.visibility_timeout_seconds
                )
                self._telemetry.received(messages, fresh=len(fresh))
                await self._enricher.submit(fresh)

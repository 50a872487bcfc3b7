"""Long polls: from the queue into the window and on to enrichment."""

import asyncio
from collections.abc import Sequence

from ingestor.core.backoff import Backoff
from ingestor.core.message import Lease, Message
from ingestor.pipeline.context import Context
from ingestor.pipeline.enrich import Enricher
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.polls import GROWS_FROM, Polls
from ingestor.pipeline.waiting import within
from ingestor.ports import Queue, Unavailable

AT_ONCE_SECONDS = 0.5
"""An empty answer that comes sooner is not that of a long poll: the shortest waits a second."""
LONGEST_PAUSE_SECONDS = 2.0


class Receiver:
    """Polls while the intake is open. Several run side by side, as a task each, while wanted.

    After an answer that is less than half full it waits `pause_seconds`, at most.

    A poll under way at the stop is awaited, because cancelling it could leave messages invisible
    until their timeout ends.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        intake: Intake,
        enricher: Enricher,
        polls: Polls,
        pause_seconds: float,
        context: Context,
    ) -> None:
        self._queue = queue
        self._polls = polls
        self._pause_seconds = pause_seconds
        self._intake = intake
        self._enricher = enricher
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._arrived: list[Message] = []

    async def run(self, number: int) -> None:
        """Poll as poller `number` until the intake stops."""
        backoff = Backoff()
        for_nothing = Backoff(most_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            await self._polls.turn(number)
            await self._intake.open.wait()
            if self._intake.stopping.is_set():
                return
            started = self._clock.monotonic()
            try:
                self._telemetry.queue_called()
                messages = await self._queue.receive()
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
                await self._pause(self._context.delay(backoff, error))
                continue
            backoff.reset()
            self._telemetry.dependency_up("sqs")
            self._polls.answered(len(messages))
            if messages:
                for_nothing.reset()
                await self._take(messages)
                if len(messages) < GROWS_FROM and self._pause_seconds:
                    # What comes meanwhile comes with the next answer: fewer requests to pay for.
                    await self._pause(self._pause_seconds)
            elif self._clock.monotonic() - started < AT_ONCE_SECONDS:
                # At its cap of messages in flight a queue has none to give and does not wait.
                await self._pause(self._context.delay(for_nothing))

    async def _take(self, messages: Sequence[Message]) -> None:
        now = self._clock.monotonic()
        lease = Lease(now, now + self._queue.visibility_timeout_seconds)
        fresh = self._intake.admit(messages, lease)
        self._telemetry.received(messages, fresh=len(fresh))
        self._arrived += fresh
        # Pollers that were answered in the same turn of the loop add theirs, and one of them goes
        # on with all: what is done once for many messages is cheaper than once for ten.
        await asyncio.sleep(0)
        arrived, self._arrived = self._arrived, []
        if arrived:
            await self._enricher.submit(arrived)

    async def _pause(self, seconds: float) -> None:
        await within(self._clock, seconds, self._intake.stopping.wait())

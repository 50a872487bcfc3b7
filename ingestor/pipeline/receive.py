"""Long polls: from the queue to the arrivals."""

from ingestor.core.backoff import Backoff
from ingestor.pipeline.arrivals import Arrivals
from ingestor.pipeline.context import Context
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
        arrivals: Arrivals,
        polls: Polls,
        pause_seconds: float,
        context: Context,
    ) -> None:
        self._queue = queue
        self._polls = polls
        self._pause_seconds = pause_seconds
        self._intake = intake
        self._arrivals = arrivals
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry

    async def run(self, number: int) -> None:
        """Poll as poller `number` until the intake stops."""
        backoff = Backoff()
        for_nothing = Backoff(most_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            await self._polls.turn(number)
            if not self._intake.open.is_set():
                await self._intake.open.wait()
            if self._intake.stopping.is_set():
                return
            started = self._clock.monotonic()
            try:
                self._telemetry.queue_called()
                delivery = await self._queue.receive()
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
                await self._pause(self._context.delay(backoff, error))
                continue
            backoff.reset()
            if delivery:
                for_nothing.reset()
                self._arrivals.add(delivery)
                if not self._arrivals.room.is_set():
                    await self._arrivals.room.wait()
                # To count the messages takes time; under load nobody needs to know.
                wants_pause = self._pause_seconds and self._polls.trickle
                if wants_pause and len(delivery) < GROWS_FROM:
                    # What comes meanwhile comes with the next answer: fewer requests to pay for.
                    await self._pause(self._pause_seconds)
                continue
            self._telemetry.dependency_up("sqs")
            self._polls.answered(0)
            if self._clock.monotonic() - started < AT_ONCE_SECONDS:
                # At its cap of messages in flight a queue has none to give and does not wait.
                await self._pause(self._context.delay(for_nothing))

    async def _pause(self, seconds: float) -> None:
        await within(self._clock, seconds, self._intake.stopping.wait())

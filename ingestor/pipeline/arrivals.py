"""What polls brought, read and worked for in bursts."""

import asyncio

from ingestor.core.backoff import Backoff
from ingestor.core.message import Lease, Message
from ingestor.pipeline.context import Context
from ingestor.pipeline.enrich import Enricher
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.polls import Polls
from ingestor.pipeline.waiting import set_event, within
from ingestor.ports import BATCH, Delivery, Queue, Unavailable

BURST_SECONDS = 0.02
"""The longest that anything waits here for more to come; small beside the age of a batch."""
BURST = 100
BURST_BYTES = 2 * 1024 * 1024
"""With so many deliveries, or so much, a burst begins at once. It takes a few milliseconds."""


class Arrivals:
    """Deliveries that nobody has read yet, then messages for which nothing was done yet.

    A step for a thousand messages in a row takes less processor time than for ten at a time,
    between sending and receiving and all other steps (measured: `loadtest/README.md`). So pollers
    do no more than poll.

    Reading takes messages into the window, where their leases are kept, also while the work for
    those before them is held up. Of either kind two bursts wait at most, and no more than the
    window has room for: then there is no `room`, and pollers do not poll.
    """

    def __init__(
        self, *, queue: Queue, intake: Intake, enricher: Enricher, polls: Polls, context: Context
    ) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._queue = queue
        self._intake = intake
        self._enricher = enricher
        self._polls = polls
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._unread: list[Delivery] = []
        self._since = 0.0
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._pausing = False
        self._ended = False
        self._fresh: list[Message] = []
        self._work = asyncio.Event()

    def add(self, delivery: Delivery) -> None:
        """Take what a poll has just brought."""
        unread = self._unread
        unread.append(delivery)
        intake = self._intake
        intake.arrived(delivery.size_bytes)
        count = len(unread)
        if count == 1:
            self._since = self._clock.monotonic()
            self._some.set()
        if count >= BURST or intake.unread_bytes >= BURST_BYTES or not intake.open.is_set():
            self._update()

    def end(self) -> None:
        """Nothing more will be added: wait for nothing any more."""
        self._ended = True
        self._update()

    async def read(self) -> None:
        """Read what comes, in bursts, until cancelled."""
        backoff = Backoff()
        while True:
            await self._some.wait()
            await within(self._clock, BURST_SECONDS, self._enough.wait())
            if self.admit():
                backoff.reset()
                continue
            # Pages of somebody else, for example. Pollers wait, too.
            self._pausing = True
            self._update()
            await self._clock.sleep(self._context.delay(backoff))
            self._pausing = False
            self._update()

    def admit(self) -> bool:
        """Read all that waits, into the window; False when nothing could be read.

        The queue brings again by itself what could not be read.
        """
        unread, self._unread = self._unread, []
        messages: list[Message] = []
        for delivery in unread:
            before = len(messages)
            try:
                messages += iter(delivery)  # a list would ask for the length, which is counted
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
            else:
                self._telemetry.dependency_up("sqs")
                self._polls.answered(len(messages) - before)
        # From the first of them: a lease that is thought to end early does no harm.
        lease = Lease(self._since, self._since + self._queue.visibility_timeout_seconds)
        fresh = self._intake.admit(messages, lease)
        self._telemetry.received(messages, fresh=len(fresh))
        self._fresh += fresh
        self._work.set()
        self._update()
        return bool(messages)

    async def hand_on(self) -> None:
        """Hand on what was read, until cancelled. Suspends while the writers are behind.

        Several tasks run it side by side, so that one that waits for metadata keeps nobody waiting.
        """
        while True:
            await self._work.wait()
            self._work.clear()
            fresh, self._fresh = self._fresh, []
            if fresh:  # otherwise another one was faster
                self._update()
                await self._enricher.submit(fresh)

    def _update(self) -> None:
        unread, size_bytes = len(self._unread), self._intake.unread_bytes
        held_up = len(self._fresh)
        enough = unread >= BURST or size_bytes >= BURST_BYTES or not self._intake.open.is_set()
        full = unread >= 2 * BURST or size_bytes >= 2 * BURST_BYTES or held_up >= BURST * BATCH
        set_event(self._some, on=bool(unread))
        set_event(self._enough, on=enough or self._ended)
        set_event(self.room, on=not (full or self._pausing))

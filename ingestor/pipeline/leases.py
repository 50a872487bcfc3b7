"""Keeps every held message invisible to others, from its receive until it is gone."""

import asyncio
from collections.abc import Iterator
from itertools import groupby

from ingestor.core.backoff import Backoff
from ingestor.core.message import Lease, Message
from ingestor.core.settlement import lease_seconds
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.ports import BATCH, Queue, Unavailable

FEWEST_CALLS = 8
MOST_CALLS = 24
"""Calls at once; fewer than the connections of the client, because deletes need some too."""
ROUNDS = 16
"""In so many rounds all leases can be renewed: a call may take a fortieth of the visibility."""


class LeaseKeeper:
    """One task for all leases: renews in batches of ten when half of the visibility is over.

    A failed extension changes nothing for the message: it goes on to be stored, and at worst is
    delivered again, which overwrites itself.
    """

    def __init__(self, *, queue: Queue, intake: Intake, context: Context) -> None:
        self._queue = queue
        self._intake = intake
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry

    async def run(self) -> None:
        """Renew what is due, until cancelled."""
        backoff = Backoff()
        visibility = self._queue.visibility_timeout_seconds
        while True:
            now = self._clock.monotonic()
            held = self._intake.held
            calls_at_once = min(max(FEWEST_CALLS, len(held) // (BATCH * ROUNDS)), MOST_CALLS)
            due = held.due(now, visibility / 2, BATCH * calls_at_once)
            if not due:
                # An eighth: at least three of them are left for renewing all, failures included.
                await self._clock.sleep(visibility / 8)
                continue
            async with asyncio.TaskGroup() as group:
                calls = [
                    group.create_task(self._renew(same, seconds, now), name="lease")
                    for seconds, same in _by_lease(due, now, visibility)
                ]
            if all(call.result() for call in calls):
                backoff.reset()
            else:
                await self._clock.sleep(self._context.delay(backoff))

    async def _renew(self, messages: list[Message], seconds: float, now: float) -> bool:
        """Extend one batch; False when some of it has to be tried again soon."""
        again: set[str] = set()
        if seconds >= 1:  # otherwise the cap is reached: nothing can be asked for any more
            try:
                self._telemetry.queue_called()
                failures = await self._queue.extend(messages, seconds)
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
                return False
            self._telemetry.leases_extended(len(messages) - len(failures))
            if failures:
                self._telemetry.queue_entries_failed("extend", [each.code for each in failures])
                again = {each.message_id for each in failures if not each.permanent}
        # Also where the cap cut the lease, or asking is hopeless: looked at again in half a
        # visibility, not at once.
        until = now + self._queue.visibility_timeout_seconds
        for held in messages:
            if held.message_id not in again:
                self._intake.held.renew(held, Lease(held.lease.received_at, until))
        return not again


def _by_lease(
    due: list[Message], now: float, visibility: float
) -> Iterator[tuple[float, list[Message]]]:
    """Batches of ten whose leases can be extended for the same time."""
    for seconds, same in groupby(due, lambda held: lease_seconds(held, now, visibility)):
        messages = list(same)
        for n in range(0, len(messages), BATCH):
            yield seconds, messages[n : n + BATCH]

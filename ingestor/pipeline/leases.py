"""Keeps every held message invisible to others, from its receive until it is gone."""

import asyncio

from ingestor.core.backoff import Backoff
from ingestor.core.settlement import Held, lease_seconds
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.ports import BATCH, Queue, Receipt, Unavailable

CALLS_AT_ONCE = 8


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
            due = self._intake.held.due(now, visibility / 2, BATCH * CALLS_AT_ONCE)
            if not due:
                # A quarter: one round can be missed before a lease runs out.
                await self._clock.sleep(visibility / 4)
                continue
            async with asyncio.TaskGroup() as group:
                calls = [
                    group.create_task(self._renew(due[n : n + BATCH], now), name=f"lease-{n}")
                    for n in range(0, len(due), BATCH)
                ]
            if all(call.result() for call in calls):
                backoff.reset()
            else:
                await self._clock.sleep(self._context.delay(backoff))

    async def _renew(self, messages: list[Held], now: float) -> bool:
        visibility = self._queue.visibility_timeout_seconds
        seconds = min(lease_seconds(held, now, visibility) for held in messages)
        if seconds >= 1:
            receipts = [
                Receipt(held.message.message_id, held.message.receipt_handle) for held in messages
            ]
            try:
                failures = await self._queue.extend(receipts, seconds)
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
                return False
            self._telemetry.leases_extended(len(messages) - len(failures))
            if failures:
                codes = [each.code for each in failures]
                self._telemetry.queue_entries_failed("extend", codes)
        # Also where it failed: the message is asked for again in half a visibility, not at once.
        for held in messages:
            self._intake.held.renew(held, now + max(seconds, 1.0))
        return True

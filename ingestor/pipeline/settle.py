"""The end of each message: deleted, dead-lettered then deleted, or given back."""

import asyncio
from collections import deque
from collections.abc import Sequence

from ingestor.core.backoff import Backoff
from ingestor.core.message import Rejected, Stage
from ingestor.core.settlement import Held, line_refused, lines_stored
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.poison import PoisonGuard
from ingestor.ports import BATCH, DeadLetter, Failure, Queue, Receipt, Unavailable


class Settler:
    """Collects settled messages and settles them with the queue in batches of ten.

    Several tasks run it side by side. What the queue does not confirm is tried again with
    back-off, always with the newest receipt; what it can never confirm is let go, and comes again.
    The window bounds all that waits here.

    When the guard trips, nothing more is dead-lettered and nothing more received: refused messages
    keep their leases until a person has looked.
    """

    def __init__(
        self, *, queue: Queue, intake: Intake, context: Context, guard: PoisonGuard
    ) -> None:
        self._queue = queue
        self._guard = guard
        self._intake = intake
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._done: deque[Held] = deque()
        self._dead: deque[Held] = deque()
        self._back: deque[tuple[Held, float, str]] = deque()
        self._work = asyncio.Event()

    def __len__(self) -> int:
        return len(self._done) + len(self._dead) + len(self._back)

    def lines_stored(self, owners: Sequence[Held]) -> None:
        """One line of each owner is stored."""
        settled = lines_stored(owners)
        clean = [held for held in settled if held.rejection is None]
        self._telemetry.stored(clean, time_ns=self._clock.time_ns(), now=self._clock.monotonic())
        self._done += clean
        self._guard.saw(Stage.WRITE, good=len(clean), refused=0)
        self._dead += [held for held in settled if held.rejection is not None]
        self._work.set()

    def line_refused(self, held: Held, rejection: Rejected) -> None:
        """One line of the message can never be stored."""
        if held.rejection is None:
            self._guard.saw(Stage.WRITE, good=0, refused=1)
        if line_refused(held, rejection):
            self.reject([held])

    def reject(self, messages: Sequence[Held]) -> None:
        """These messages can never be stored; each carries its rejection."""
        if messages:
            _settled(messages)
            self._dead += messages
            self._work.set()

    def give_back_refused(self) -> None:
        """With the guard tripped, let whoever comes next judge what was refused here."""
        if self._guard.tripped:
            refused, self._dead = list(self._dead), deque()
            self.release(refused, 0, why="too many were refused")

    def release(self, messages: Sequence[Held], seconds: float, *, why: str) -> None:
        """Give messages back to the queue, to be visible again in so many seconds."""
        if messages:
            _settled(messages)
            self._back += [(held, seconds, why) for held in messages]
            self._work.set()

    async def run(self) -> None:
        """Settle what comes, until cancelled."""
        backoff = Backoff()
        while True:
            await self._work.wait()
            try:
                failed = await self._settle_some()
            except Unavailable as error:
                self._telemetry.dependency_down("sqs", error.reason)
                failed = True
            if failed:
                await self._clock.sleep(self._context.delay(backoff))
            else:
                backoff.reset()
                self._telemetry.dependency_up("sqs")

    async def _settle_some(self) -> bool:
        """One batch call; True when something failed and has to be tried again later."""
        if self._done:
            return await self._delete(_take(self._done))
        if self._dead and not self._guard.tripped:
            return await self._dead_letter(_take(self._dead))
        if self._back:
            _, seconds, why = self._back[0]
            same: list[Held] = []
            while self._back and len(same) < BATCH and self._back[0][1:] == (seconds, why):
                same.append(self._back.popleft()[0])
            return await self._release(same, seconds, why)
        self._work.clear()
        return False

    async def _delete(self, messages: list[Held]) -> bool:
        receipts = _receipts(messages)
        try:
            self._telemetry.queue_called()
            failures = await self._queue.delete(receipts)
        except Unavailable:
            self._done += messages
            self._work.set()
            raise
        again, hopeless = self._sort("delete", messages, failures)
        gone = []
        failed_ids = {each.message_id for each in failures} if failures else ()
        for held, receipt in zip(messages, receipts, strict=True):
            if held.message.message_id in failed_ids:
                continue
            # Received again while the delete was under way: the old receipt may have had no effect.
            if held.message.receipt_handle != receipt.receipt_handle:
                again.append(held)
            else:
                gone.append(held)
        self._telemetry.deleted(len(gone))
        self._intake.forget(gone)
        self._abandon(hopeless, why="the queue does not accept its receipt")
        self._done += again
        if again:
            self._work.set()
        return bool(failures)

    async def _dead_letter(self, messages: list[Held]) -> bool:
        letters = [
            DeadLetter(held.message, held.rejection)
            for held in messages
            if held.rejection is not None
        ]
        try:
            self._telemetry.queue_called()
            failures = await self._queue.dead_letter(letters)
        except Unavailable:
            self._dead += messages
            self._work.set()
            raise
        again, hopeless = self._sort("dead-letter", messages, failures)
        failed_ids = {each.message_id for each in failures}
        sent = [held for held in messages if held.message.message_id not in failed_ids]
        self._telemetry.dead_lettered([held.rejection for held in sent if held.rejection])
        self._abandon(hopeless, why="it does not fit into the dead-letter queue")
        self._dead += again
        self._done += sent
        self._work.set()
        return bool(failures)

    async def _release(self, messages: list[Held], seconds: float, why: str) -> bool:
        try:
            self._telemetry.queue_called()
            failures = await self._queue.extend(_receipts(messages), seconds)
        except Unavailable:
            self.release(messages, seconds, why=why)
            raise
        again, _ = self._sort("release", messages, failures)
        gone = [held for held in messages if held not in again]
        self._telemetry.released(len(gone), why=why)
        self._intake.forget(gone)
        if again:
            self.release(again, seconds, why=why)
        return bool(again)

    def _sort(
        self, call: str, messages: Sequence[Held], failures: Sequence[Failure]
    ) -> tuple[list[Held], list[Held]]:
        """The failed ones: those to try again, and those for which that is hopeless."""
        if not failures:
            return [], []
        self._telemetry.queue_entries_failed(call, [each.code for each in failures])
        permanent = {each.message_id: each.permanent for each in failures}
        failed = [held for held in messages if held.message.message_id in permanent]
        again = [held for held in failed if not permanent[held.message.message_id]]
        return again, [held for held in failed if held not in again]

    def _abandon(self, messages: list[Held], *, why: str) -> None:
        if messages:
            self._telemetry.abandoned(len(messages), why=why)
            self._intake.forget(messages)


def _settled(messages: Sequence[Held]) -> None:
    for held in messages:
        held.settled = True


def _take(waiting: deque[Held]) -> list[Held]:
    take = waiting.popleft
    return [take() for _ in range(min(BATCH, len(waiting)))]


def _receipts(messages: Sequence[Held]) -> list[Receipt]:
    return [Receipt(held.message.message_id, held.message.receipt_handle) for held in messages]

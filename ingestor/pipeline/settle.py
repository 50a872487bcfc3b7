"""The end of each message: deleted, dead-lettered then deleted, or given back."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence

import msgspec

from ingestor.core import settlement
from ingestor.core.backoff import Backoff
from ingestor.core.message import Message, Rejected, Stage
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.poison import PoisonGuard
from ingestor.ports import BATCH, DeadLetter, Failure, Queue, Unavailable

BURST_CALLS = 100
"""Calls that are made ready in a row, and whose messages are forgotten in a row: see Arrivals."""


class _Deletion(msgspec.Struct, eq=False, gc=False):
    """A call that deletes messages, made ready when so many receipts had been replaced."""

    messages: list[Message]
    before: int
    call: Awaitable[Sequence[Failure]]


class Settler:
    """Collects settled messages and settles them with the queue in batches of ten.

    Deletes, which are most of it, are made ready and forgotten in bursts.

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
        self._done: deque[Message] = deque()
        self._ready: deque[_Deletion] = deque()
        self._gone: list[_Deletion] = []
        self._dead: deque[Message] = deque()
        self._back: deque[tuple[Message, float, str]] = deque()
        self._work = asyncio.Event()

    def __len__(self) -> int:
        ready = sum([len(each.messages) for each in self._ready])
        return ready + len(self._done) + len(self._dead) + len(self._back)

    def lines_stored(self, owners: Sequence[Message]) -> None:
        """One line of each owner is stored."""
        stored, rejected = settlement.lines_stored(owners)
        self._telemetry.stored(stored, time_ns=self._clock.time_ns(), now=self._clock.monotonic())
        self._guard.saw(Stage.WRITE, good=len(stored), refused=0)
        self._done += stored
        self._dead += rejected
        self._work.set()

    def line_refused(self, held: Message, rejection: Rejected) -> None:
        """One line of the message can never be stored."""
        if held.rejection is None:
            self._guard.saw(Stage.WRITE, good=0, refused=1)
        if settlement.line_refused(held, rejection):
            self._dead.append(held)
            self._work.set()

    def reject(self, messages: Sequence[Message]) -> None:
        """No line can be made of these messages; each carries its rejection."""
        if messages:
            settlement.reject(messages)
            self._dead += messages
            self._work.set()

    def give_back_refused(self) -> None:
        """With the guard tripped, let whoever comes next judge what was refused here."""
        if self._guard.tripped:
            refused, self._dead = list(self._dead), deque()
            self.release(refused, 0, why="too many were refused")

    def release(self, messages: Sequence[Message], seconds: float, *, why: str) -> None:
        """Give messages back to the queue, to be visible again in so many seconds."""
        if messages:
            settlement.release(messages)
            self._give_back(messages, seconds, why)

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
        """What is ready to be deleted, or one batch call; True when some has to be tried again."""
        if self._done and not self._ready:
            self._make_ready()
        if self._ready:
            return await self._delete_ready()
        if self._dead and not self._guard.tripped:
            return await self._dead_letter(_take(self._dead))
        if self._back:
            _, seconds, why = self._back[0]
            same: list[Message] = []
            while self._back and len(same) < BATCH and self._back[0][1:] == (seconds, why):
                same.append(self._back.popleft()[0])
            return await self._release(same, seconds, why)
        self._work.clear()
        return False

    def _make_ready(self) -> None:
        """Make the calls that delete what is stored, many in a row."""
        before = self._intake.held.received_again
        for _ in range(BURST_CALLS):
            if not self._done:
                return
            messages = _take(self._done)
            self._ready.append(_Deletion(messages, before, self._queue.delete(messages)))

    async def _delete_ready(self) -> bool:
        """Make the calls that are ready; True as soon as some of it has to be tried again later."""
        again = False
        while self._ready and not again:
            deletion = self._ready.popleft()
            self._telemetry.queue_called()
            try:
                failures = await deletion.call
            except Unavailable:
                self._done += deletion.messages
                self._work.set()
                self._forget_gone()
                raise
            if failures:
                again = self._sort_out(deletion, failures)
            else:
                self._gone.append(deletion)
            if again or not self._ready or len(self._gone) >= BURST_CALLS:
                again |= self._forget_gone()
        return again

    def _forget_gone(self) -> bool:
        """Forget what the queue has deleted, many in a row; True when some came again since."""
        gone, self._gone = self._gone, []
        received_again = self._intake.held.received_again
        messages: list[Message] = []
        again = False
        for deletion in gone:
            if deletion.before == received_again:  # nearly always
                messages += deletion.messages
            else:
                again |= self._sort_out(deletion, ())
        self._intake.deleted(messages)
        self._telemetry.deleted(len(messages))
        return again

    def _sort_out(self, deletion: "_Deletion", failures: Sequence[Failure]) -> bool:
        messages, before = deletion.messages, deletion.before
        gone, again, hopeless = self._sort("delete", messages, before, failures)
        self._intake.deleted(gone)
        self._telemetry.deleted(len(gone))
        self._abandon(hopeless, why="the queue does not accept its receipt")
        self._done += again
        if again:
            self._work.set()
        return bool(again)

    async def _dead_letter(self, messages: list[Message]) -> bool:
        letters = [
            DeadLetter(held, held.rejection) for held in messages if held.rejection is not None
        ]
        try:
            self._telemetry.queue_called()
            failures = await self._queue.dead_letter(letters)
        except Unavailable:
            self._dead += messages
            self._work.set()
            raise
        # As of now: a letter is the same whichever of its receipts the message came with.
        now = self._intake.held.received_again
        sent, again, hopeless = self._sort("dead-letter", messages, now, failures)
        settlement.letters_taken(sent)
        self._telemetry.dead_lettered([held.rejection for held in sent if held.rejection])
        self._abandon(hopeless, why="it does not fit into the dead-letter queue")
        self._dead += again
        self._done += sent
        self._work.set()
        return bool(again)

    async def _release(self, messages: list[Message], seconds: float, why: str) -> bool:
        before = self._intake.held.received_again
        try:
            self._telemetry.queue_called()
            failures = await self._queue.extend(messages, seconds)
        except Unavailable:
            self._give_back(messages, seconds, why)
            raise
        gone, again, expired = self._sort("release", messages, before, failures)
        gone += expired  # its visibility ran out already
        self._telemetry.released(len(gone), why=why)
        self._intake.forget(gone)
        if again:
            self._give_back(again, seconds, why)
        return bool(again)

    def _give_back(self, messages: Sequence[Message], seconds: float, why: str) -> None:
        self._back += [(held, seconds, why) for held in messages]
        self._work.set()

    def _sort(
        self,
        call: str,
        messages: list[Message],
        before: int,
        failures: Sequence[Failure],
    ) -> tuple[list[Message], list[Message], list[Message]]:
        """Those for which the call worked, those to try again, and those for which it never will.

        To try again are also those that were received again while the call was under way, which
        `before` tells, how many had been when it began: what it did with the receipt of before says
        nothing about the new one.
        """
        permanent = {}
        if failures:
            permanent = {each.message_id: each.permanent for each in failures}
            self._telemetry.queue_entries_failed(call, [each.code for each in failures])
        worked: list[Message] = []
        again: list[Message] = []
        hopeless: list[Message] = []
        for held in messages:
            message_id = held.message_id
            if held.renewed_as > before:
                again.append(held)
            elif message_id not in permanent:
                worked.append(held)
            elif permanent[message_id]:
                hopeless.append(held)
            else:
                again.append(held)
        return worked, again, hopeless

    def _abandon(self, messages: list[Message], *, why: str) -> None:
        if messages:
            settlement.release(messages)
            self._telemetry.abandoned(len(messages), why=why)
            self._intake.forget(messages)


def _take(waiting: deque[Message]) -> list[Message]:
    take = waiting.popleft
    return [take() for _ in range(min(BATCH, len(waiting)))]

"""A queue in memory, as forgetful and as forgiving as SQS."""

import asyncio
import heapq
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ingestor.core.later import Later
from ingestor.core.message import Attributes, Delivered, Message, Receipt
from ingestor.ports import BATCH, Clock, DeadLetter, Failure, QueueDepth

Call = Literal["receive", "delete", "extend", "dead_letter", "depth"]
"""The calls that can be told to fail."""


@dataclass(slots=True, frozen=True)
class Fault:
    """How one call goes wrong: it raises `error`, after having done its work when `applied`."""

    error: Exception
    applied: bool = False


@dataclass(slots=True, eq=False)
class _Stored:
    """A message in the queue. The handle of its n-th receive is `<message_id>#<n>`."""

    message_id: str
    body: str
    sent_at_ms: int
    visible_at: float
    receive_count: int = 0


class MemoryQueue:
    """A `Queue` with visibility, receipts that outdate, redelivery and redrive.

    Made to fail by three attributes. `faults[call]` is a queue of faults, one for each of the next
    calls. `refuse(call, message_id)` may return a Failure for a single entry. `gates[call]` is an
    event that the call waits for before it does anything.

    Args:
        clock: What visibility and long polls wait on.
        visibility_timeout_seconds: How long a received message stays invisible.
        wait_seconds: How long `receive` waits when nothing is there.
        max_receive_count: More receives than that move a message to `redriven`; None is never.
        duplicates: Every message comes twice in each answer, with two receipts.
        most_in_flight: With so many in flight, `receive` answers at once with nothing.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        visibility_timeout_seconds: float = 30.0,
        wait_seconds: float = 10.0,
        max_receive_count: int | None = None,
        duplicates: bool = False,
        most_in_flight: int | None = None,
    ) -> None:
        self.visibility_timeout_seconds = visibility_timeout_seconds
        self.wait_seconds = wait_seconds
        self.max_receive_count = max_receive_count
        self.duplicates = duplicates
        self.most_in_flight = most_in_flight
        self.deleted: list[str] = []
        self.dead_letters: list[DeadLetter] = []
        self.redriven: list[Message] = []
        self.receives = 0
        self.receive_counts: dict[str, int] = {}
        self.faults: defaultdict[Call, deque[Fault]] = defaultdict(deque)
        self.refuse: Callable[[Call, str], Failure | None] | None = None
        self.gates: dict[Call, asyncio.Event] = {}
        self._clock = clock
        self._messages: dict[str, _Stored] = {}
        self._visible: deque[str] = deque()
        self._invisible: list[tuple[float, str]] = []
        self._arrived = asyncio.Event()

    def __repr__(self) -> str:
        return (
            f"<MemoryQueue {len(self.waiting)} waiting, {len(self.in_flight)} in flight, "
            f"{len(self.deleted)} deleted, {len(self.dead_letters)} dead letters>"
        )

    @property
    def waiting(self) -> list[str]:
        """The ids of messages that the next receive can return."""
        now = self._clock.monotonic()
        return [each.message_id for each in self._messages.values() if each.visible_at <= now]

    @property
    def in_flight(self) -> list[str]:
        """The ids of messages that are received and neither deleted nor visible again."""
        now = self._clock.monotonic()
        return [each.message_id for each in self._messages.values() if each.visible_at > now]

    def send(self, body: str, *, message_id: str | None = None) -> str:
        """Put a message into the queue; returns its id."""
        message_id = message_id or f"message-{len(self.receive_counts)}"
        if message_id in self.receive_counts:
            raise ValueError(f"{message_id} was sent before")
        now = self._clock.monotonic()
        sent_at_ms = self._clock.time_ns() // 1_000_000
        self._messages[message_id] = _Stored(message_id, body, sent_at_ms, now)
        self.receive_counts[message_id] = 0
        self._visible.append(message_id)
        self._arrived.set()
        return message_id

    async def receive(self) -> Delivered:
        """See Queue."""
        self.receives += 1
        fault = await self._begin("receive")
        if self.most_in_flight is not None and len(self.in_flight) >= self.most_in_flight:
            return Delivered()
        deadline = self._clock.monotonic() + self.wait_seconds
        messages = self._take()
        while not messages and (left := deadline - self._clock.monotonic()) > 0:
            await self._wait_for_arrival(left)
            messages = self._take()
        _finish(fault)
        return Delivered(messages)

    def delete(self, receipts: Sequence[Receipt]) -> Awaitable[list[Failure]]:
        """See Queue. A receipt that is not the newest succeeds without effect."""
        return self._each("delete", receipts, self._delete)

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> list[Failure]:
        """See Queue. A receipt that is not the newest succeeds without effect."""
        return await self._each("extend", receipts, lambda each: self._extend(each, seconds))

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> list[Failure]:
        """See Queue."""
        fault = await self._begin("dead_letter")
        results = [self._refused("dead_letter", each.message.message_id) for each in letters]
        self.dead_letters += [
            letter for letter, failure in zip(letters, results, strict=True) if failure is None
        ]
        _finish(fault)
        return [failure for failure in results if failure is not None]

    async def depth(self) -> QueueDepth:
        """See Queue."""
        _finish(await self._begin("depth"))
        return QueueDepth(visible=len(self.waiting), in_flight=len(self.in_flight))

    def _each(
        self,
        call: Call,
        receipts: Sequence[Receipt],
        settle: Callable[[Receipt], Failure | None],
    ) -> Awaitable[list[Failure]]:
        as_of_now = [Receipt(each.message_id, each.receipt_handle) for each in receipts]
        return Later(self._settle, (call, as_of_now, settle))

    async def _settle(
        self,
        call: Call,
        receipts: Sequence[Receipt],
        settle: Callable[[Receipt], Failure | None],
    ) -> list[Failure]:
        fault = await self._begin(call)
        results = [self._refused(call, each.message_id) or settle(each) for each in receipts]
        _finish(fault)
        return [failure for failure in results if failure is not None]

    async def _begin(self, call: Call) -> Fault | None:
        """Wait at the gate; raises the fault that is due unless it comes after the work."""
        if call in self.gates:
            await self.gates[call].wait()
        fault = self.faults[call].popleft() if self.faults[call] else None
        if fault is not None and not fault.applied:
            raise fault.error
        return fault

    def _refused(self, call: Call, message_id: str) -> Failure | None:
        return self.refuse(call, message_id) if self.refuse else None

    def _take(self) -> list[Message]:
        """Up to ten visible messages, made invisible."""
        now = self._clock.monotonic()
        while self._invisible and self._invisible[0][0] <= now:
            visible_at, message_id = heapq.heappop(self._invisible)
            # Otherwise deleted since, or moved to another moment.
            if message_id in self._messages and self._messages[message_id].visible_at == visible_at:
                self._visible.append(message_id)
        taken: list[Message] = []
        while self._visible and len(taken) < BATCH:
            stored = self._messages.get(self._visible.popleft())
            # Otherwise deleted, or extended, after it had become visible.
            if stored is None or stored.visible_at > now:
                continue
            if self.max_receive_count is not None and stored.receive_count >= (
                self.max_receive_count
            ):
                del self._messages[stored.message_id]
                self.redriven.append(_message(stored))
                continue
            for _ in range(2 if self.duplicates else 1):
                stored.receive_count += 1
                taken.append(_message(stored))
            self.receive_counts[stored.message_id] = stored.receive_count
            self._hide(stored, self.visibility_timeout_seconds)
        return taken

    def _hide(self, stored: _Stored, seconds: float) -> None:
        stored.visible_at = self._clock.monotonic() + seconds
        heapq.heappush(self._invisible, (stored.visible_at, stored.message_id))
        self._arrived.set()

    def _delete(self, receipt: Receipt) -> Failure | None:
        message_id, _, number = receipt.receipt_handle.rpartition("#")
        if not number.isdigit() or not 0 < int(number) <= self.receive_counts.get(message_id, 0):
            return Failure(receipt.message_id, "ReceiptHandleIsInvalid", permanent=True)
        stored = self._messages.get(message_id)
        if stored is not None and stored.receive_count == int(number):
            del self._messages[message_id]
            self.deleted.append(message_id)
        return None

    def _extend(self, receipt: Receipt, seconds: float) -> Failure | None:
        message_id, _, number = receipt.receipt_handle.rpartition("#")
        if not number.isdigit() or not 0 < int(number) <= self.receive_counts.get(message_id, 0):
            return Failure(receipt.message_id, "ReceiptHandleIsInvalid", permanent=True)
        stored = self._messages.get(message_id)
        if stored is None or stored.visible_at <= self._clock.monotonic():
            return Failure(receipt.message_id, "MessageNotInflight", permanent=True)
        if stored.receive_count == int(number):
            self._hide(stored, seconds)
        return None

    async def _wait_for_arrival(self, seconds: float) -> None:
        """Return when something was sent, the next message becomes visible, or time is up."""
        self._arrived.clear()
        if self._invisible:
            seconds = min(seconds, max(0.0, self._invisible[0][0] - self._clock.monotonic()))
        both = {
            asyncio.create_task(self._arrived.wait(), name="memory-queue-arrival"),
            asyncio.create_task(self._clock.sleep(seconds), name="memory-queue-poll"),
        }
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)


def _finish(fault: Fault | None) -> None:
    if fault is not None:
        raise fault.error


def _message(stored: _Stored) -> Message:
    return Message(
        stored.message_id,
        f"{stored.message_id}#{stored.receive_count}",
        stored.body,
        Attributes(stored.sent_at_ms, stored.receive_count),
    )

"""The event of one invocation as a queue, so that the pipeline is the same as the service's."""

import asyncio
from collections.abc import Awaitable, Sequence

from ingestor.core.later import Later
from ingestor.core.message import Delivered, Message, Receipt
from ingestor.ports import DeadLetter, Failure, Queue, QueueDepth

CHUNK = 500
"""Messages of one receive: work done between two turns of the event loop."""


class EventQueue:
    """Hands out the messages of one event, then sets `exhausted`, and notes what became of each.

    Lambda itself deletes what is done and brings back what is not, so that nothing is called for
    either. Dead letters go to the queue given.
    """

    visibility_timeout_seconds = 12 * 3600.0  # Lambda keeps the leases

    def __init__(
        self, messages: Sequence[Message], *, dead_letters: Queue, exhausted: asyncio.Event
    ) -> None:
        self.undone = dict.fromkeys(message.message_id for message in messages)
        self._messages = list(messages)
        self._dead_letters = dead_letters
        self._exhausted = exhausted

    async def receive(self) -> Delivered:
        """See Queue."""
        chunk, self._messages = self._messages[:CHUNK], self._messages[CHUNK:]
        if not chunk:
            self._exhausted.set()
            # The poller comes again until it has seen the stop: let that happen.
            await asyncio.sleep(0)
        return Delivered(chunk)

    def delete(self, receipts: Sequence[Receipt]) -> Awaitable[list[Failure]]:
        """See Queue: these are done."""
        return Later(self._note, (receipts,))

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> list[Failure]:
        """See Queue: what is given back stays undone."""
        del receipts, seconds
        return []

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> Sequence[Failure]:
        """See Queue."""
        return await self._dead_letters.dead_letter(letters)

    async def depth(self) -> QueueDepth:
        """See Queue."""
        return QueueDepth(visible=len(self._messages), in_flight=len(self.undone))

    async def _note(self, receipts: Sequence[Receipt]) -> list[Failure]:
        for receipt in receipts:
            self.undone.pop(receipt.message_id, None)
        return []

"""One queue: visibility, receipts, receive counts and redrive. Time is an argument."""

import heapq
from collections import deque
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

GONE = float("inf")


@dataclass(slots=True, eq=False)
class Message:
    """A message; `visible_at` is in epoch seconds, `GONE` when it was deleted."""

    id: str
    body: str
    attributes: dict[str, Any]
    sent_at_ms: int
    receives: int = 0
    visible_at: float = 0.0

    @property
    def receipt(self) -> str:
        """Names the message and the receive: only that of the newest one has an effect."""
        return f"{self.id}#{self.receives}"

    @property
    def md5(self) -> str:
        """The checksum of the body that SQS sends along."""
        return md5(self.body.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True, eq=False)
class Queue:
    """A standard queue. Every call costs the same, however many messages wait.

    `dead_letters` takes what was received `most_receives` times and is visible once more.
    """

    name: str
    attributes: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)
    dead_letters: "Queue | None" = None
    most_receives: int = 0
    _waiting: deque[Message] = field(default_factory=deque)
    _hidden: list[tuple[float, int, Message]] = field(default_factory=list)
    _hides: int = 0
    _in_flight: int = 0

    @property
    def visibility_seconds(self) -> int:
        """How long a receive hides a message."""
        return int(self.attributes["VisibilityTimeout"])

    def send(self, message: Message) -> None:
        """Take a message, visible at once."""
        self.messages[message.id] = message
        self._waiting.append(message)

    def receive(self, most: int, now: float, seconds: float) -> list[Message]:
        """Up to so many visible messages, hidden from now on for `seconds`."""
        self._surface(now)
        taken: list[Message] = []
        while self._waiting and len(taken) < most:
            message = self._waiting.popleft()
            if message.visible_at == GONE:
                continue
            if self.dead_letters is not None and message.receives >= self.most_receives:
                del self.messages[message.id]
                self.dead_letters.send(message)
                continue
            message.receives += 1
            self._in_flight += 1
            self._hide(message, now + seconds)
            taken.append(message)
        return taken

    def delete(self, receipt: str) -> str | None:
        """Remove a message; the code of an error when the receipt is none.

        An outdated receipt and that of a message which is gone succeed without effect.
        """
        message_id, mark, receives = receipt.partition("#")
        if not mark:
            return "ReceiptHandleIsInvalid"
        message = self.messages.get(message_id)
        if message is not None and str(message.receives) == receives:
            # One that is visible again stays in the row of those that wait until its turn comes.
            self._in_flight -= message.visible_at > 0
            message.visible_at = GONE
            del self.messages[message_id]
        return None

    def change(self, receipt: str, now: float, seconds: float) -> str | None:
        """Hide a message for so long from now; the code of an error when that is not possible."""
        message_id, mark, receives = receipt.partition("#")
        if not mark:
            return "ReceiptHandleIsInvalid"
        self._surface(now)
        message = self.messages.get(message_id)
        if message is None:
            return "InvalidParameterValue"
        if message.visible_at == 0:
            return "MessageNotInflight"
        if str(message.receives) == receives:
            self._hide(message, now + seconds)
            self._surface(now)
        return None

    def clear(self) -> None:
        """Delete everything."""
        for message in self.messages.values():
            message.visible_at = GONE
        self.messages.clear()
        self._in_flight = 0

    def depth(self, now: float) -> tuple[int, int]:
        """How many are visible, and how many a consumer holds."""
        self._surface(now)
        return len(self.messages) - self._in_flight, self._in_flight

    @property
    def next_visible_at(self) -> float:
        """When the next hidden message may become visible."""
        return self._hidden[0][0] if self._hidden else GONE

    def _hide(self, message: Message, until: float) -> None:
        message.visible_at = until
        self._hides += 1  # makes entries of one moment comparable
        heapq.heappush(self._hidden, (until, self._hides, message))

    def _surface(self, now: float) -> None:
        """Make visible whose time has come. What was hidden anew or deleted has another time."""
        while self._hidden and self._hidden[0][0] <= now:
            until, _, message = heapq.heappop(self._hidden)
            if message.visible_at == until:
                message.visible_at = 0.0
                self._in_flight -= 1
                self._waiting.append(message)

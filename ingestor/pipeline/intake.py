"""Whether to receive: the window of held messages, and what stands in the way.

The one place that says stop to the pollers. Nothing is received while the window is full or while
a dependency that messages need is down: a message that waits in the queue burns no receive count.
"""

import asyncio
from collections.abc import Iterable, Sequence

from ingestor.core.message import Lease, Message
from ingestor.core.settlement import InFlight
from ingestor.pipeline.waiting import set_event
from ingestor.ports import BATCH
from ingestor.telemetry.facts import Telemetry


class Intake:
    """The window, the state of the dependencies, and the wish to stop, as one gate.

    The limits are checked before each receive, so the window can be exceeded by what the polls
    under way bring: ten messages each.
    """

    def __init__(self, telemetry: Telemetry, *, most_messages: int, most_bytes: int) -> None:
        self.held = InFlight()
        self.unread_messages = 0
        self.unread_bytes = 0
        self.most_messages = most_messages
        self.most_bytes = most_bytes
        self.stopping = asyncio.Event()
        self.open = asyncio.Event()
        self.empty = asyncio.Event()
        self._telemetry = telemetry
        self._blocking: set[str] = set()
        self._update()

    def arrived(self, size_bytes: int) -> None:
        """A receive brought something that is not read yet: it counts as a full answer."""
        self.unread_messages += BATCH
        self.unread_bytes += size_bytes
        self.empty.clear()
        if self._is_full() and not self.stopping.is_set():
            self.open.clear()

    def admit(self, messages: Sequence[Message], lease: Lease) -> list[Message]:
        """Take messages into the window, all that was unread; returns those not held already."""
        self.unread_messages = self.unread_bytes = 0
        fresh = self.held.admit(messages, lease)
        self._update()
        return fresh

    def deleted(self, messages: Iterable[Message]) -> None:
        """The queue confirmed that these are deleted, with their newest receipts."""
        self.held.deleted(messages)
        self._update()

    def forget(self, messages: Iterable[Message]) -> None:
        """These were given back, or let go: the queue brings them again by itself."""
        self.held.forget(messages)
        self._update()

    def expect(self, dependency: str) -> None:
        """Nothing is known of this dependency yet: receive nothing before it worked once."""
        self._telemetry.down[dependency] = "not reached yet"
        self._blocking.add(dependency)
        self._update()

    def block(self, dependency: str, reason: str) -> None:
        """Nothing can be stored without this dependency, and it does not work: stop receiving."""
        self._telemetry.dependency_down(dependency, reason)
        self._blocking.add(dependency)
        self._update()

    def unblock(self, dependency: str) -> None:
        """The dependency worked."""
        if dependency in self._blocking:
            self._blocking.remove(dependency)
            self._telemetry.dependency_up(dependency)
            self._update()

    def stop(self) -> None:
        """Receive no more. Opens the gate, so that pollers notice at once."""
        self.stopping.set()
        self._update()

    @property
    def blocked(self) -> bool:
        """True while a dependency that messages need is down."""
        return bool(self._blocking)

    def _update(self) -> None:
        may_receive = self.stopping.is_set() or not (self._blocking or self._is_full())
        set_event(self.open, on=may_receive)
        set_event(self.empty, on=not (len(self.held) or self.unread_messages))

    def _is_full(self) -> bool:
        count = len(self.held) + self.unread_messages
        size_bytes = self.held.size_bytes + self.unread_bytes
        return count >= self.most_messages or size_bytes >= self.most_bytes

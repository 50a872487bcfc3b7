"""Whether to receive: the window of held messages, and what stands in the way.

The one place that says stop to the pollers. Nothing is received while the window is full or while
a dependency that messages need is down: a message that waits in the queue burns no receive count.
"""

import asyncio
from collections.abc import Iterable, Sequence

from ingestor.core.message import Lease, Message
from ingestor.core.settlement import InFlight
from ingestor.telemetry.facts import Telemetry


class Intake:
    """The window, the state of the dependencies, and the wish to stop, as one gate.

    The limits are checked before each receive, so the window can be exceeded by what the polls
    under way bring: ten messages each.
    """

    def __init__(self, telemetry: Telemetry, *, most_messages: int, most_bytes: int) -> None:
        self.held = InFlight()
        self.most_messages = most_messages
        self.most_bytes = most_bytes
        self.stopping = asyncio.Event()
        self.open = asyncio.Event()
        self.empty = asyncio.Event()
        self._telemetry = telemetry
        self._blocking: set[str] = set()
        self._update()

    def admit(self, messages: Sequence[Message], lease: Lease) -> list[Message]:
        """Take messages into the window; returns the ones that are not held already."""
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
        held = self.held
        count = len(held)
        full = count >= self.most_messages or held.size_bytes >= self.most_bytes
        may_receive = self.stopping.is_set() or not (self._blocking or full)
        _set(self.open, on=may_receive)
        _set(self.empty, on=not count)


def _set(event: asyncio.Event, *, on: bool) -> None:
    if on:
        event.set()
    else:
        event.clear()

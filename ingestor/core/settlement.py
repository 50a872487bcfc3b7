"""Who owes what to which message: a small state machine between receive and delete.

Each step is one row here; anything else raises `IllegalStep`, because it would lose a message or
settle it twice. A message that comes again while it is held takes no step: it keeps its state and
its place in the work, and its newest receipt replaces the old one.

    from                           to         when                                    by
    -                              RECEIVED   a receive brought it                    admit
    RECEIVED                       WRITING    all its lines are made                  begin_writing
    RECEIVED                       REJECTED   it cannot be decoded or mapped          reject
    WRITING                        STORED     its last line is stored, none refused   lines_stored
    WRITING                        REJECTED   its last line is settled, one refused   lines_stored,
                                                                                      line_refused
    REJECTED                       STORED     the dead-letter queue took it           letters_taken
    RECEIVED, WRITING, REJECTED    RELEASED   it is to be given back                  release
    REJECTED, STORED               RELEASED   the queue will never take its end       release
    STORED                         DELETED    the queue confirmed its delete          deleted

Therefore a delete is only ever asked for what is STORED: in InfluxDB with all its lines, or in the
dead-letter queue with its reason. A message is forgotten when it is DELETED, or RELEASED and the
queue has been told (or will bring it again by itself); until then it is held, and its lease kept
unless it is RELEASED.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Never

from ingestor.core.message import Lease, Message, Rejected, State

LONGEST_LEASE_SECONDS = 12 * 3600.0
"""SQS ends any visibility 12 hours after the receive (SQS Developer Guide, visibility timeout)."""


# Names of the module are found faster than those of an enum: this is done for every line.
_RECEIVED: Final = State.RECEIVED
_WRITING: Final = State.WRITING
_REJECTED: Final = State.REJECTED
_STORED: Final = State.STORED
_RELEASED: Final = State.RELEASED
_DELETED: Final = State.DELETED


class IllegalStep(Exception):
    """A defect of ours: the message must not go from its state to the other one."""


class InFlight:
    """Every held message, in the order in which leases run out.

    The order costs nothing because every lease is renewed for the same time: a renewed message
    moves to the end. `received_again` counts the receipts that were replaced by newer ones.
    """

    def __init__(self) -> None:
        self._held: dict[str, Message] = {}
        self.size_bytes = 0
        self.received_again = 0

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Message]:
        return iter(tuple(self._held.values()))

    def __repr__(self) -> str:
        return f"<InFlight {len(self)} messages, {self.size_bytes} bytes>"

    def admit(self, messages: Sequence[Message], lease: Lease) -> list[Message]:
        """Register what was received; returns only what is not already being worked on.

        A message that is held already came again because its lease ran out or the queue delivered
        it twice: it keeps its place in the work, and its newest receipt replaces the old one, which
        the queue would accept without effect.
        """
        fresh = []
        all_held = self._held
        size_bytes = 0
        for message in messages:
            known = all_held.setdefault(message.message_id, message)
            if known is message:
                message.lease = lease
                size_bytes += len(message.body)
                fresh.append(message)
            else:
                known.receipt_handle = message.receipt_handle
                known.attributes = message.attributes
                self.received_again += 1
                known.renewed_as = self.received_again
                self.renew(known, lease)
        self.size_bytes += size_bytes
        return fresh

    def due(self, now: float, within_seconds: float, limit: int) -> list[Message]:
        """Up to `limit` messages whose lease ends within so many seconds, the most urgent first.

        Not those that are RELEASED: to extend their lease would take back what they were told.
        """
        due: list[Message] = []
        for held in self._held.values():
            if len(due) == limit or held.lease.until - now > within_seconds:
                break
            if held.state is not _RELEASED:
                due.append(held)
        return due

    def renew(self, held: Message, lease: Lease) -> None:
        """Note a lease; without effect when the message is gone meanwhile."""
        message_id = held.message_id
        if self._held.get(message_id) is held:
            held.lease = lease
            del self._held[message_id]
            self._held[message_id] = held

    def deleted(self, messages: Iterable[Message]) -> None:
        """The queue confirmed that these are deleted, with their newest receipts: forget them."""
        all_held = self._held
        size_bytes = 0
        for held in messages:
            if held.state is not _STORED:
                _illegal(held, _DELETED)
            held.state = _DELETED
            if all_held.get(held.message_id) is held:
                del all_held[held.message_id]
                size_bytes += len(held.body)
        self.size_bytes -= size_bytes

    def forget(self, messages: Iterable[Message]) -> None:
        """These were given back, or let go: the queue brings them again by itself."""
        all_held = self._held
        for held in messages:
            state = held.state
            if state is not _RELEASED:
                raise IllegalStep(f"a message that is {state.name} must not be forgotten")
            if all_held.get(held.message_id) is held:
                del all_held[held.message_id]
                self.size_bytes -= len(held.body)


def lease_seconds(held: Message, now: float, wanted_seconds: float) -> float:
    """How long a lease may be asked for: `wanted_seconds`, cut at the 12-hour cap; 0 beyond it."""
    left = held.lease.received_at + LONGEST_LEASE_SECONDS - now
    return max(0.0, min(wanted_seconds, left))


def begin_writing(messages: Iterable[Message]) -> None:
    """All lines of these are made, and counted in `open_lines`."""
    for held in messages:
        if held.state is not _RECEIVED or not held.open_lines:
            _illegal(held, _WRITING)
        held.state = _WRITING


def lines_stored(owners: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """Tick off one stored line of each owner; returns who is STORED by it, and who is REJECTED."""
    stored = []
    rejected = []
    for held in owners:
        if held.state is not _WRITING:
            _illegal(held, _STORED)
        if held.open_lines > 1:
            held.open_lines -= 1
        elif held.rejection is None:
            held.state = _STORED
            stored.append(held)
        else:
            held.state = _REJECTED
            rejected.append(held)
    return stored, rejected


def line_refused(held: Message, rejection: Rejected) -> bool:
    """Tick off one refused line; True when the message is REJECTED by it.

    The first refusal is the one that the dead letter will name.
    """
    if held.state is not _WRITING:
        _illegal(held, _REJECTED)
    held.rejection = held.rejection or rejection.bare()
    if held.open_lines > 1:
        held.open_lines -= 1
        return False
    held.state = _REJECTED
    return True


def reject(messages: Iterable[Message]) -> None:
    """No line can be made of these; each carries its rejection."""
    for held in messages:
        if held.state is not _RECEIVED or held.rejection is None:
            _illegal(held, _REJECTED)
        held.state = _REJECTED


def letters_taken(messages: Iterable[Message]) -> None:
    """The dead-letter queue has these, with their reasons."""
    for held in messages:
        if held.state is not _REJECTED:
            _illegal(held, _STORED)
        held.state = _STORED


def release(messages: Iterable[Message]) -> None:
    """These are to be given back, or let go: they come again."""
    for held in messages:
        if held.state is _DELETED or held.state is _RELEASED:
            _illegal(held, _RELEASED)
        held.state = _RELEASED


def undecided(messages: Iterable[Message]) -> list[Message]:
    """Those about whose end nothing is decided yet."""
    return [held for held in messages if held.state <= _WRITING]


def _illegal(held: Message, wanted: State) -> Never:
    raise IllegalStep(f"a message that is {held.state.name} must not become {wanted.name}")

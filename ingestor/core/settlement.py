"""Who owes what to which message: the bookkeeping between receive and delete.

A message is open until every one of its lines is stored or refused. Then it is settled: deleted
when nothing was refused, dead-lettered first otherwise. It is forgotten only when the queue has
confirmed that, because until then its lease must be kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingestor.core.message import Message, Rejected

LONGEST_LEASE_SECONDS = 12 * 3600.0
"""SQS ends any visibility 12 hours after the receive (SQS Developer Guide, visibility timeout)."""


@dataclass(slots=True, eq=False)
class Held:
    """A message between its receive and the queue's confirmation that it is gone.

    `lease_until` and `received_at` are monotonic seconds. `open_lines` counts the lines that are
    neither stored nor refused yet. `settled` is set when its end is decided: only the queue's
    confirmation is outstanding then.
    """

    message: Message
    received_at: float
    lease_until: float
    open_lines: int = 0
    rejection: Rejected | None = None
    settled: bool = False


class InFlight:
    """Every held message, in the order in which leases run out.

    The order costs nothing because every lease is renewed for the same time: a renewed message
    moves to the end.
    """

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(tuple(self._held.values()))

    def __repr__(self) -> str:
        return f"<InFlight {len(self)} messages, {self.size_bytes} bytes>"

    def admit(self, messages: Sequence[Message], now: float, lease_seconds: float) -> list[Held]:
        """Register what was received; returns only what is not already being worked on.

        A message that is held already came again because its lease ran out or the queue delivered
        it twice: it keeps its place in the work, and its newest receipt replaces the old one, which
        the queue would accept without effect.
        """
        fresh = []
        for message in messages:
            known = self._held.pop(message.message_id, None)
            if known is None:
                known = Held(message, now, now + lease_seconds)
                self.size_bytes += message.size_bytes
                fresh.append(known)
            else:
                known.message.receipt_handle = message.receipt_handle
                known.message.receive_count = message.receive_count
                known.received_at = now
                known.lease_until = now + lease_seconds
            self._held[message.message_id] = known
        return fresh

    def due(self, now: float, within_seconds: float, limit: int) -> list[Held]:
        """Up to `limit` messages whose lease ends within so many seconds, the most urgent first."""
        due: list[Held] = []
        for held in self._held.values():
            if len(due) == limit or held.lease_until - now > within_seconds:
                break
            due.append(held)
        return due

    def renew(self, held: Held, lease_until: float) -> None:
        """Note a lease; without effect when the message is gone meanwhile."""
        message_id = held.message.message_id
        if self._held.get(message_id) is held:
            held.lease_until = lease_until
            del self._held[message_id]
            self._held[message_id] = held

    def forget(self, held: Held) -> None:
        """The queue confirmed that the message is gone, or it was given back."""
        if self._held.get(held.message.message_id) is held:
            del self._held[held.message.message_id]
            self.size_bytes -= held.message.size_bytes


def lease_seconds(held: Held, now: float, wanted_seconds: float) -> float:
    """How long a lease may be asked for: `wanted_seconds`, cut at the 12-hour cap; 0 beyond it."""
    left = held.received_at + LONGEST_LEASE_SECONDS - now
    return max(0.0, min(wanted_seconds, left))


def lines_stored(owners: Iterable[Held]) -> list[Held]:
    """Tick off one stored line of each owner; returns the messages that are settled by it."""
    settled = []
    for held in owners:
        held.open_lines -= 1
        if not held.open_lines:
            held.settled = True
            settled.append(held)
    return settled


def line_refused(held: Held, rejection: Rejected) -> bool:
    """Tick off one refused line; True when the message is settled by it.

    The first refusal is the one that the dead letter will name.
    """
    held.rejection = held.rejection or rejection
    held.open_lines -= 1
    return not held.open_lines

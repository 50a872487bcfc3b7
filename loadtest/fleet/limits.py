"""Whose limit it is when the schedule is not kept."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

_BUSY = 0.85
_LATE_SHARE = 0.01
_LOOP_SECONDS = 0.05
_WAITING_SHARE = 0.5


class Limit(StrEnum):
    """What kept a second of the run from its schedule."""

    NONE = "none"
    CPU = "generator: its one core is busy"
    MACHINE = "machine: the generator gets no CPU time"
    BOOK = "generator: its ledger is not written fast enough"
    CONNECTION = "generator: its connections may not publish more"
    SYSTEM = "system: messages are not acknowledged fast enough"


EXPLANATIONS = {
    Limit.NONE: "The schedule was kept.",
    Limit.CPU: "Run several fleets, or fewer messages a second: this says nothing of the system.",
    Limit.MACHINE: "Other processes take the machine: give the fleet one of its own.",
    Limit.BOOK: "Put the ledger on a faster disk, or send fewer messages a second.",
    Limit.CONNECTION: "AWS IoT Core takes 100 messages a second of a connection, and 500 new "
    "connections a second of an account: allow more connections, or let fewer come back at once.",
    Limit.SYSTEM: "The generator waited for the broker or queue: this is the system's limit.",
}


@dataclass(slots=True, frozen=True)
class Second:
    """What the generator saw of itself in about a second.

    Shares are of the time or of the messages; `loop_lag_seconds` is how much later than asked the
    event loop woke a task. `waiting_share` of the senders waited for an acknowledgement.
    """

    begun: int
    late: int
    own_cpu_share: float
    loop_lag_seconds: float
    book_share: float
    throttled: int
    waiting_share: float


def find_limit(second: Second) -> Limit:
    """Why messages of this second were late; NONE when they were not."""
    if second.late <= _LATE_SHARE * second.begun:
        return Limit.NONE
    # Whatever holds the generator up also makes it look as if it waited: its own causes first.
    causes = (
        (second.own_cpu_share >= _BUSY, Limit.CPU),
        (second.book_share >= _BUSY, Limit.BOOK),
        (second.loop_lag_seconds >= _LOOP_SECONDS, Limit.MACHINE),
        (second.throttled > second.late // 2, Limit.CONNECTION),
        (second.waiting_share >= _WAITING_SHARE, Limit.SYSTEM),
    )
    return next((limit for holds, limit in causes if holds), Limit.MACHINE)


@dataclass(slots=True)
class Limits:
    """The limits of a whole run: how many messages were late because of each."""

    late: Counter[Limit] = field(default_factory=Counter)

    def add(self, second: Second) -> Limit:
        """Take a second into account; its limit."""
        limit = find_limit(second)
        if limit is not Limit.NONE:
            self.late[limit] += second.late
        return limit

    def verdict(self, begun: int) -> Limit:
        """The limit that most late messages are due to; NONE when fewer than 1 % were late."""
        if sum(self.late.values()) <= _LATE_SHARE * begun:
            return Limit.NONE
        return max(self.late, key=lambda limit: self.late[limit])

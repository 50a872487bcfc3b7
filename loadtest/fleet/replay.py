"""What a run that was cut off has left in its ledger, met again in the same plan."""

from loadtest.fleet.plan import TICK_SECONDS, Message, Tick
from loadtest.ledger.book import Book, BookError, Entry
from loadtest.ledger.judge import pack

_AT_ONCE = 1_000


class Replay:
    """Goes through the ticks that are in a ledger already, in bounded memory.

    What was acknowledged is left out, what was not may have been sent or not: it is sent (again),
    and stays one reading. With `anew` everything is sent again, because what the earlier run stored
    is gone. The plan goes on at `begins_at` seconds, so that nobody is blamed for the time between.
    """

    def __init__(self, book: Book, *, anew: bool) -> None:
        self.ticks = book.next_tick
        self.begins_at = 0.0 if anew else self.ticks * TICK_SECONDS
        self._anew = anew
        self._rows = book.all_rows(_AT_ONCE)
        if anew:
            book.forget_acknowledgements()

    def take(self, tick: Tick) -> None:
        """Leave in a tick what is to be sent; BookError when the ledger is of another plan."""
        kept = []
        for message in tick.messages:
            acknowledged = False
            if not message.copy:
                row, entry, acknowledged = next(self._rows, (0, None, False))
                if entry != entry_of(message):
                    raise BookError(f"tick {tick.number} of the ledger is not one of this plan")
                message.row = row
            if self._anew or not (message.copy or acknowledged):
                message.due = max(message.due, self.begins_at)
                kept.append(message)
        tick.messages = kept


def entry_of(message: Message) -> Entry:
    """What the ledger has of a message."""
    sample = message.sample
    return Entry(
        sample.device,
        sample.sequence,
        sample.time_ms,
        pack(sample.values, message.firmware),
        message.expected,
    )


def enter(book: Book, tick: Tick) -> None:
    """Enter the readings of a tick, which may be published from then on.

    A message gets its row; the second copy of a message has none, as it is the same reading.
    """
    messages = [message for message in tick.messages if not message.copy]
    rows = book.enter(map(entry_of, messages), next_tick=tick.number + 1)
    for row, message in zip(rows, messages, strict=True):
        message.row = row

"""How many polls are worth having in flight."""

import asyncio

GROWS_FROM = 5
"""Messages in one answer from which on more is assumed to wait: half of what an answer can hold."""


class Polls:
    """Grows with the backlog and shrinks to one when idle, so that an idle queue costs one poll.

    Answers that are at least half full add a poll each, all others take one away: where little
    comes, fewer polls bring more each, and SQS bills by the request. Poller `n` works while `n` is
    below `wanted`, which lies between 1 and `most`. `trickle` is whether the latest answer that was
    read was less than half full.
    """

    def __init__(self, most: int) -> None:
        self.wanted = 1
        self.trickle = True
        self._most = most
        self._ended = False
        self._turns = [asyncio.Event() for _ in range(most)]
        self._turns[0].set()

    async def turn(self, number: int) -> None:
        """Return when poller `number` is wanted."""
        await self._turns[number].wait()

    def answered(self, count: int) -> None:
        """A poll brought so many messages."""
        self.trickle = count < GROWS_FROM
        if count >= GROWS_FROM and self.wanted < self._most:
            self._turns[self.wanted].set()
            self.wanted += 1
        elif count < GROWS_FROM and self.wanted > 1 and not self._ended:
            self.wanted -= 1
            self._turns[self.wanted].clear()

    def end(self) -> None:
        """Wake all pollers, for good, to see that there is nothing more to do."""
        self._ended = True
        for turn in self._turns:
            turn.set()

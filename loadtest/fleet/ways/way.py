"""What every way in does."""

from collections.abc import Sequence
from typing import Protocol

from loadtest.fleet.plan import Message


class Way(Protocol):
    """Brings messages in, each until it is acknowledged.

    It tells its desk when it begins to send a message, and when that was acknowledged. What fails
    is tried again, backing off, for as long as `run` is not cancelled.
    """

    @property
    def connected(self) -> int:
        """How many connections there are."""
        ...

    def put(self, messages: Sequence[Message]) -> None:
        """Take messages that are due."""
        ...

    def storm(self) -> None:
        """Drop every connection and open them all again."""
        ...

    async def ready(self) -> None:
        """Return when it can send."""
        ...

    async def run(self) -> None:
        """Send until cancelled."""
        ...

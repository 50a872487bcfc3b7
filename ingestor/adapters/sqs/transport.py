"""The seam below the queue's logic: how one call reaches SQS."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, TypeVar

from ingestor.ports import Delivery

Answer = TypeVar("Answer")

POLL_GRACE_SECONDS = 10.0
"""How much longer than its long poll a receive may take."""
CONNECTIONS = 96
"""For everything but polls: more than the settlers and the lease keeper use at once."""


class Transport(Protocol):
    """Sends calls over a pool of connections of its own."""

    region_name: str

    async def receive(self, request: Mapping[str, Any], *, seconds: float) -> Delivery:
        """Make the call ReceiveMessage; for the rest see `call`."""
        ...

    def call(
        self, operation: str, request: Mapping[str, Any], answer: type[Answer], *, seconds: float
    ) -> Awaitable[Answer]:
        """Make one call, in at most so many seconds, its one repetition included.

        It is made ready at once, and sent when it is awaited, once.

        Args:
            operation: As the API names it, such as `ReceiveMessage`.
            request: Its parameters, as the API names them, never changed afterwards.
            answer: What to read the answer into; numbers may come as text.
            seconds: When to give up.

        Raises:
            ErrorAnswer: SQS answered with an error.
            Unavailable: everything else.
        """
        ...

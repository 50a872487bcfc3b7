"""An answer to ReceiveMessage that nobody has read yet."""

from collections.abc import Callable, Iterator

from ingestor.adapters.sqs.answers import ReceiveAnswer
from ingestor.core.message import Message

SHORT_BYTES = 64
"""An answer of no more holds no message: identity and receipt alone are longer."""
_EACH = b'"MessageId":'
"""Once for each message. Within a text its quotes would stand behind backslashes."""


class Unread:
    """A `Delivery` over the body of an answer, which `read` reads.

    Nothing of the body is looked at before: it would take the place of something else in the
    processor's cache. It is longer than `SHORT_BYTES`, so there seem to be messages.
    """

    __slots__ = ("_body", "_read", "size_bytes")

    def __init__(self, body: bytes, read: Callable[[bytes], ReceiveAnswer]) -> None:
        self.size_bytes = len(body)
        self._body = body
        self._read = read

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return self._body.count(_EACH)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._read(self._body).messages or ())

"""When a batch of lines is closed: by lines, by bytes, by age."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestor.core.message import Message


@dataclass(slots=True, eq=False)
class Batch:
    """Lines on their way to the sink; `owners[i]` is the message that `lines[i]` came from."""

    opened_at: float
    lines: list[bytes] = field(default_factory=list)
    owners: list[Message] = field(default_factory=list)
    size_bytes: int = 0

    def __len__(self) -> int:
        return len(self.lines)


class Batcher:
    """Collects lines into batches; holds at most one open batch, which is never over a limit.

    A single line larger than `most_bytes` makes a batch of its own. Times are monotonic seconds.
    """

    def __init__(self, *, most_lines: int, most_bytes: int, most_seconds: float) -> None:
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._open: Batch | None = None

    def __len__(self) -> int:
        return len(self._open) if self._open else 0

    def add(self, lines: Sequence[bytes], owners: Sequence[Message], now: float) -> list[Batch]:
        """Add lines with their owners; returns the batches that are full by it."""
        batch = self._open
        size_bytes = sum(map(len, lines)) + len(lines)  # with the line ends
        if (
            batch is not None
            and batch.size_bytes + size_bytes <= self._most_bytes
            and len(batch.lines) + len(lines) < self._most_lines
        ):  # the usual case, without a look at each line
            batch.lines += lines
            batch.owners += owners
            batch.size_bytes += size_bytes
            return []
        closed = []
        for line, owner in zip(lines, owners, strict=True):
            size = len(line) + 1  # the line end
            if batch is not None and batch.size_bytes + size > self._most_bytes:
                closed.append(batch)
                batch = None
            if batch is None:
                batch = Batch(opened_at=now)
            batch.lines.append(line)
            batch.owners.append(owner)
            batch.size_bytes += size
            if len(batch.lines) >= self._most_lines:
                closed.append(batch)
                batch = None
        self._open = batch
        return closed

    def due_at(self) -> float | None:
        """When the open batch is to be closed for its age; None when there is none."""
        return self._open.opened_at + self._most_seconds if self._open else None

    def close(self) -> Batch | None:
        """Close the open batch, whatever its age."""
        batch, self._open = self._open, None
        return batch

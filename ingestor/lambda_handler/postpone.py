"""Messages that cannot be stored now come again later and later, so that they are not given up."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from ingestor.core.message import Message, Receipt
from ingestor.ports import BATCH, Queue, Unavailable

LONGEST_SECONDS = 3600.0
_AT_ONCE = 8


def delay(receive_count: int, visibility_seconds: float) -> float:
    """How long a message that was received so often is to stay away: twice as long each time."""
    doublings = min(receive_count - 1, 20)
    doubled = visibility_seconds * float(1 << doublings)
    return max(visibility_seconds, min(LONGEST_SECONDS, doubled))


async def postpone(queue: Queue, messages: Sequence[Message], *, seconds: float) -> None:
    """Let messages that failed more than once stay away for longer, within so many seconds.

    An event source mapping goes on receiving while InfluxDB is down, and SQS dead-letters what was
    received too often, good or not. Where this does not succeed they come again as always.
    """
    visibility = queue.visibility_timeout_seconds
    by_delay: defaultdict[float, list[Receipt]] = defaultdict(list)
    for each in messages:
        if each.attributes.receive_count > 1:
            by_delay[delay(each.attributes.receive_count, visibility)].append(each)
    calls = iter(
        [
            (receipts[n : n + BATCH], away)
            for away, receipts in by_delay.items()
            for n in range(0, len(receipts), BATCH)
        ]
    )

    async def work() -> None:
        for receipts, away in calls:
            await queue.extend(receipts, away)

    with suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

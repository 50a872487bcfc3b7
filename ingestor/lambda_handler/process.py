"""One event through the pipeline of the service."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from ingestor.core.encode import Encoder
from ingestor.core.message import Message
from ingestor.lambda_handler.events import Delivery
from ingestor.lambda_handler.queue import EventQueue
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import RELEASE_SECONDS, Limits, Pipeline
from ingestor.ports import MetadataCache, Queue, TimeSeriesSink


@dataclass(slots=True, frozen=True)
class Outcome:
    """The messages that are not done, and the defect, if one ended the work."""

    undone: list[Message]
    error: Exception | None = None


async def process(
    delivery: Delivery,
    *,
    dead_letters: Queue,
    store: MetadataCache,
    sink: TimeSeriesSink,
    encoder: Encoder,
    context: Context,
    limits: Limits,
    seconds: float,
) -> Outcome:
    """Store what can be stored within so many seconds.

    Done means stored, or accepted by the dead-letter queue.
    """
    stop = asyncio.Event()
    queue = EventQueue(delivery.messages, dead_letters=dead_letters, exhausted=stop)
    pipeline = Pipeline(
        queue=queue,
        store=store,
        sink=sink,
        encoder=encoder,
        context=context,
        # The pipeline's own deadline must not come first: there is nothing to give back here.
        limits=replace(limits, stop_seconds=seconds + RELEASE_SECONDS),
    )
    error: Exception | None = None
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await pipeline.run(stop)
    except Exception as defect:  # noqa: BLE001 - what was done before it must not come again
        error = defect
    return Outcome([each for each in delivery.messages if each.message_id in queue.undone], error)

"""One event through the pipeline of the service."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from ingestor.core.encode import Encoder
from ingestor.lambda_handler.events import Delivery
from ingestor.lambda_handler.queue import EventQueue
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import RELEASE_SECONDS, Limits, Pipeline
from ingestor.ports import MetadataStore, Queue, TimeSeriesSink


async def process(
    delivery: Delivery,
    *,
    dead_letters: Queue,
    store: MetadataStore,
    sink: TimeSeriesSink,
    encoder: Encoder,
    context: Context,
    limits: Limits,
    seconds: float,
) -> list[str]:
    """Store what can be stored within so many seconds; returns the ids that are not done.

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
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await pipeline.run(stop)
    return list(queue.undone)

"""A pipeline on fakes and virtual time."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from ingestor.adapters.memory import FakeClock, MemoryMetadata, MemoryQueue, MemorySink
from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.metadata import Metadata
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import Limits, Pipeline
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.logs import make_logger

KNOWN = "known"
"""A metadata key that has a record."""


def reading(number: int, **changes: Any) -> str:
    """The body of a good message; every number is another device."""
    body = {"pressure": number, "deviceid": f"d{number}", "clientid": "c", "metakey": KNOWN}
    return json.dumps(body | changes)


@dataclass
class Rig:
    """Everything around one pipeline; change the fakes before or while it runs."""

    clock: FakeClock
    queue: MemoryQueue
    limits: Limits = field(default_factory=Limits)
    policy: str = "write"
    mapping: str = DEFAULT_MAPPING
    store: MemoryMetadata = field(
        default_factory=lambda: MemoryMetadata({KNOWN: Metadata({"family": "sensors"})})
    )
    sink: MemorySink = field(default_factory=MemorySink)

    def __post_init__(self) -> None:
        self.log = io.StringIO()
        self.telemetry = Telemetry(make_logger("debug", "json", self.log))
        self.context = Context(self.clock, Random(1), self.telemetry)  # noqa: S311 - jitter
        mapping = self.mapping.replace('missing = "write"', f'missing = "{self.policy}"')
        self.stop = asyncio.Event()
        self.pipeline = Pipeline(
            queue=self.queue,
            store=self.store,
            sink=self.sink,
            encoder=Encoder(parse_mapping(mapping)),
            context=self.context,
            limits=self.limits,
        )

    @property
    def totals(self) -> Any:
        """The counters."""
        return self.telemetry.totals

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def send(self, *bodies: str) -> list[str]:
        """Put messages into the queue; returns their ids."""
        return [self.queue.send(body) for body in bodies]

    def send_readings(self, count: int) -> list[str]:
        """Put so many good messages into the queue."""
        return self.send(*(reading(number) for number in range(count)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        """Run the pipeline; afterwards stop it, if it still runs, and wait for its end."""
        run = asyncio.create_task(self.pipeline.run(self.stop), name="pipeline")
        self.run = run
        await self.clock.settle()
        try:
            yield self
            self.stop.set()
            await self.clock.advance_until(run.done)
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        await run

    async def until(self, condition: Any, *, most_seconds: float = 3600.0) -> None:
        """Let virtual time pass until the condition holds."""
        await self.clock.advance_until(condition, most_seconds=most_seconds)


def rig(**changes: Any) -> Rig:
    """A rig; names of Limits go into the limits, the rest to the rig itself."""
    limits = {name: changes.pop(name) for name in list(changes) if name in Limits.__slots__}
    clock = changes.pop("clock", None) or FakeClock()
    queue = changes.pop("queue", None) or MemoryQueue(clock=clock)
    return Rig(clock, queue, limits=replace(Limits(), **limits), **changes)

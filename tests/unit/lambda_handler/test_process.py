"""One event through the pipeline, on fakes."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from support.rig import KNOWN, Rig, reading, rig

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.memory import Fault, MemoryMetadata
from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Attributes, Message
from ingestor.core.metadata import Metadata
from ingestor.lambda_handler.events import Delivery
from ingestor.lambda_handler.process import Outcome, process
from ingestor.pipeline.context import Context
from ingestor.pipeline.pipeline import Limits
from ingestor.ports import Unavailable

DOWN = Unavailable("it is down")


def delivery(*bodies: str) -> Delivery:
    """An event of a queue with these bodies."""
    messages = [
        Message(f"m-{n}", "h", body, Attributes(1_700_000_000_000)) for n, body in enumerate(bodies)
    ]
    return Delivery(messages, from_queue=True)


async def work(
    r: Rig, event: Delivery, *, seconds: float = 20, mapping: str = DEFAULT_MAPPING
) -> list[str]:
    """Process the event with the rig's fakes, in real time; the ids of what is not done."""
    outcome = await outcome_of(r, event, seconds=seconds, mapping=mapping)
    assert outcome.error is None
    return [each.message_id for each in outcome.undone]


async def outcome_of(
    r: Rig, event: Delivery, *, seconds: float = 20, mapping: str = DEFAULT_MAPPING
) -> Outcome:
    """Process the event with the rig's fakes, in real time."""
    return await process(
        event,
        dead_letters=r.queue,
        store=r.store,
        sink=r.sink,
        encoder=Encoder(parse_mapping(mapping)),
        context=Context(SystemClock(), r.context.random, r.telemetry),
        limits=Limits(pollers=1),
        seconds=seconds,
    )


async def test_everything_is_done() -> None:
    """All readings are stored and enriched, nothing is to come again, and nobody waits."""
    r = rig()

    assert await work(r, delivery(*(reading(n) for n in range(2_000)))) == []

    assert len(r.sink.points) == 2_000
    assert all("family=sensors" in series for series, _ in r.sink.points)
    assert r.queue.deleted == []  # Lambda does that


async def test_poison_is_done_when_it_is_dead_lettered() -> None:
    """Poison goes to the dead-letter queue and does not come again; its neighbours are stored."""
    r = rig()

    assert await work(r, delivery(reading(1), "poison", reading(2))) == []

    assert [letter.message.body for letter in r.queue.dead_letters] == ["poison"]
    assert len(r.sink.points) == 2


async def test_later_comes_again() -> None:
    """What is held back for its record is named, and nothing else."""
    r = rig()
    mapping = DEFAULT_MAPPING.replace('missing = "write"', 'missing = "hold"')
    event = delivery(reading(1), reading(2, metakey="new"), reading(3))

    assert await work(r, event, mapping=mapping) == ["m-1"]
    assert len(r.sink.points) == 2


async def test_time_is_up() -> None:
    """At the deadline everything that is not stored is named, and nothing was deleted unwritten."""
    r = rig()
    r.sink.fault = DOWN

    assert await work(r, delivery(reading(1), reading(2)), seconds=0.3) == ["m-0", "m-1"]
    assert r.sink.points == {}


async def test_time_is_up_for_some() -> None:
    """What was stored before the deadline does not come again."""
    r = rig()
    r.store.unanswered = {"slow"}
    event = delivery(reading(1, metakey="slow"), reading(2))

    assert await work(r, event, seconds=1.0) == ["m-0"]
    assert len(r.sink.points) == 1


async def test_letter_that_cannot_be_sent() -> None:
    """Poison that the dead-letter queue does not take yet comes again."""
    r = rig()
    r.queue.faults["dead_letter"].extend([Fault(DOWN)] * 100)

    assert await work(r, delivery("poison", reading(1)), seconds=1.0) == ["m-0"]
    assert len(r.sink.points) == 1


async def test_a_defect_hurts_only_what_was_not_done() -> None:
    """What a defect interrupts comes again; poison that was dead-lettered before it does not."""
    r = rig()

    class Broken(MemoryMetadata):
        """Fails as nobody expects, as soon as the letter is settled."""

        async def fetch(self, keys: Sequence[str]) -> Mapping[str, Metadata | None]:
            """See MetadataStore."""
            while not r.telemetry.totals.deleted:  # noqa: ASYNC110 - the rig sets no event
                await asyncio.sleep(0)
            raise ZeroDivisionError(keys)

    r.store = Broken({})

    outcome = await outcome_of(r, delivery("poison", reading(1)))

    assert [each.message_id for each in outcome.undone] == ["m-1"]
    assert outcome.error is not None


async def test_same_lines_as_the_service() -> None:
    """The function and the service write the same bytes for the same messages."""
    bodies = [reading(n, sensordatetime="2023-11-14T22:13:20", metakey=KNOWN) for n in range(50)]
    service, function = rig(), rig()
    service.send(*bodies)
    async with service.running():
        await service.until(lambda: len(service.queue.deleted) == 50)
    event = delivery(*bodies)

    await work(function, event)

    assert sorted(sum(function.sink.writes, ())) == sorted(sum(service.sink.writes, ()))


async def test_nothing_runs_between_invocations() -> None:
    """No task is left when an event is done."""
    r = rig()

    await work(r, delivery(reading(1)))

    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_bodies_are_readings() -> None:
    """The rig's readings are JSON objects."""
    body: dict[str, Any] = json.loads(reading(1))
    assert body["metakey"] == KNOWN

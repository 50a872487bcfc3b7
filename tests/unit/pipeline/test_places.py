"""Writes side by side: fewer when the sink slows down or is away, more when it is fast again."""

import asyncio
from collections.abc import Sequence

import pytest
from support.rig import reading, rig

from ingestor.adapters.memory import FakeClock, MemorySink
from ingestor.core.concurrency import Concurrency
from ingestor.pipeline.places import Places
from ingestor.ports import Unavailable


class TimedSink(MemorySink):
    """Takes `seconds` of virtual time for a write, and notes how many are under way."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.seconds = 0.1
        self.under_way = 0
        self.seen: list[int] = []

    async def write(self, lines: Sequence[bytes]) -> None:
        """See TimeSeriesSink."""
        self.under_way += 1
        self.seen.append(self.under_way)
        try:
            await self.clock.sleep(self.seconds)
            await super().write(lines)
        finally:
            self.under_way -= 1


async def test_writers_follow_the_latency_of_the_sink() -> None:
    """They become fewer when it slows down, and as many as before when it is fast again."""
    clock = FakeClock()
    sink = TimedSink(clock)
    r = rig(clock=clock, sink=sink, writers=4, batch_lines=10, window_messages=100_000)
    async with r.running():
        r.send_readings(20_000)
        await r.until(lambda: r.totals.batches >= 20)
        assert r.pipeline.gauges["write_limit"] == 4
        assert max(sink.seen) == 4

        sink.seconds = 1.0
        await r.until(lambda: r.pipeline.gauges["write_limit"] == 1, most_seconds=60)
        await r.until(lambda: sink.under_way <= 1, most_seconds=60)
        sink.seen.clear()
        before = r.totals.batches
        await r.until(lambda: r.totals.batches >= before + 5, most_seconds=60)
        assert max(sink.seen) == 1

        sink.seconds = 0.1
        await r.until(lambda: r.pipeline.gauges["write_limit"] == 4, most_seconds=60)
        sink.seen.clear()
        await r.until(lambda: len(sink.seen) >= 10, most_seconds=60)
        assert max(sink.seen) == 4
        await r.until(lambda: r.totals.deleted == 20_000)
    assert len(sink.points) == 20_000


async def test_after_an_outage_writes_begin_one_at_a_time() -> None:
    """Those that are repeated take turns: nobody waits for ever, and nothing is stored twice."""
    r = rig(writers=4, batch_lines=1)
    async with r.running():
        r.sink.fault = Unavailable("it is down")
        r.send(*(reading(n) for n in range(8)))
        await r.until(lambda: r.totals.write_retries >= 20)
        assert r.pipeline.gauges["write_limit"] == 1
        r.sink.fault = None
        await r.until(lambda: r.totals.deleted == 8, most_seconds=60)
    assert len(r.sink.points) == 8
    assert r.totals.batches == 8


async def test_places_are_given_in_order() -> None:
    """A newcomer does not overtake who waits."""
    places = Places(Concurrency(1))
    order: list[int] = []

    async def come(number: int) -> None:
        for _ in range(2):
            async with places.place():
                order.append(number)
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(come(number), name=f"come-{number}")
    assert order == [0, 1, 2, 0, 1, 2]


async def test_a_smaller_limit_takes_no_place_away() -> None:
    """Who has one keeps it; the next is given when enough have left."""
    concurrency = Concurrency(2)
    places = Places(concurrency)
    async with places.place():
        async with places.place():
            concurrency.failed(started=0.0, now=1.0)
            assert (places.taken, concurrency.limit) == (2, 1)
            third = asyncio.create_task(places.place().__aenter__(), name="third")
            await asyncio.sleep(0)
            assert places.others_wait
        await asyncio.sleep(0)
        assert not third.done()
    await third
    assert (places.taken, places.others_wait) == (1, False)


@pytest.mark.parametrize("turns", [0, 1])
async def test_who_is_cancelled_leaves_no_gap(turns: int) -> None:
    """Whether still waiting, or just given a place without knowing yet."""
    places = Places(Concurrency(1))
    ended: list[str] = []

    async def come(name: str) -> None:
        async with places.place():
            ended.append(name)

    holder = places.place()
    await holder.__aenter__()
    second = asyncio.create_task(come("second"), name="second")
    third = asyncio.create_task(come("third"), name="third")
    await asyncio.sleep(0)
    if turns:
        await holder.__aexit__(None, None, None)
        second.cancel()
    else:
        second.cancel()
        await holder.__aexit__(None, None, None)
    await asyncio.gather(second, third, return_exceptions=True)
    assert second.cancelled()
    assert (ended, places.taken, places.others_wait) == (["third"], 0, False)

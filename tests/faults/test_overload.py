"""Row 49: ten times what the sink takes, for as long as it lasts."""

import asyncio
from collections.abc import Sequence

import pytest
from faults.conftest import LONG_SECONDS, Ground
from service.conftest import reading
from support.rig import reading as rig_reading
from support.rig import rig

from ingestor.adapters.memory import FakeClock, MemorySink
from loadtest.chaos.driver import rss_mb
from loadtest.proxy import Latency

MEBIBYTE = 2**20
SECONDS = 5.0
"""In which a service without bounds would take all that is in the queue."""


class SlowSink(MemorySink):
    """Takes a second of virtual time for every write."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    async def write(self, lines: Sequence[bytes]) -> None:
        """See TimeSeriesSink."""
        await self._clock.sleep(1)
        await super().write(lines)


@pytest.mark.parametrize(
    ("window_messages", "window_bytes", "size"), [(150, 64 * MEBIBYTE, 10), (20_000, 100_000, 1000)]
)
async def test_f49_bounded(window_messages: int, window_bytes: int, size: int) -> None:
    """Every buffer keeps its limit in messages and bytes, no lease is lost, and all is stored."""
    clock = FakeClock()
    writers, pollers, lines = 2, 4, 20
    r = rig(
        window_messages=window_messages,
        window_bytes=window_bytes,
        writers=writers,
        pollers=pollers,
        batch_lines=lines,
        clock=clock,
        sink=SlowSink(clock),
    )
    bodies = [rig_reading(n, note="x" * size) for n in range(writers * lines * 60)]
    largest = max(map(len, bodies))
    r.send(*bodies)
    most: dict[str, int] = {}
    async with r.running():
        while len(r.queue.deleted) < len(bodies):
            for name, value in r.pipeline.gauges.items():
                most[name] = max(most.get(name, 0), value)
            await r.clock.advance(0.5)
            assert r.clock.monotonic() < 1000

    # What the polls under way bring may come on top: ten messages each.
    on_top = 10 * pollers
    assert most["window_messages"] <= window_messages + on_top
    assert most["window_bytes"] <= window_bytes + on_top * largest
    assert most["write_queue"] <= 2 * writers
    assert most["batch_lines"] <= lines
    for name in ("waiting_for_metadata", "waiting_for_settlement"):
        assert most[name] <= most["window_messages"]
    held = min(window_messages, window_bytes // largest)
    assert most["window_messages"] >= held  # it was full
    assert set(r.queue.receive_counts.values()) == {1}
    assert len(r.sink.points) == len(bodies)


@pytest.mark.servers
@pytest.mark.asyncio(loop_scope="session")
async def test_f49_memory(ground: Ground) -> None:
    """A queue many times the window, before a slow sink, does not make the process grow."""
    await ground.visibility(LONG_SECONDS)
    size, count = 50_000, 600
    async with ground.service(WINDOW_BYTES=str(MEBIBYTE), INFLUXDB_TIMEOUT_SECONDS="60") as service:
        await ground.until(lambda: ground.influxdb.requests)
        before = rss_mb(service.pid)
        ground.influxdb.arm(Latency(6), "write", times=10_000)
        for n in range(0, count, 10):
            await ground.send(*(reading(k, note="x" * size) for k in range(n, n + 10)))
        await asyncio.sleep(SECONDS)
        grown = (rss_mb(service.pid) - before) * 1e6
        ground.influxdb.disarm()
        await ground.until_empty()
        await service.finish()

    # The window, what four polls bring on top, and as much again on their way through.
    assert grown < 2 * (MEBIBYTE + 4 * 10 * size) + 10 * MEBIBYTE < count * size
    assert await ground.sequences() == list(range(count))
    assert ground.site.custody.redelivered == 0

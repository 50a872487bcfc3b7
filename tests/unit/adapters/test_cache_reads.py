"""What the table is asked in the long run: a fleet's records once per lifetime, and no more."""

from collections.abc import Mapping, Sequence
from random import Random

import pytest

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.memory import FakeClock
from ingestor.core.metadata import Metadata

RECORD = Metadata({"family": "sensors"})


class Table:
    """Has a record for every key, and counts what is read."""

    def __init__(self) -> None:
        self.reads = 0

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, Metadata | None]:
        """See MetadataStore."""
        self.reads += len(keys)
        return dict.fromkeys(keys, RECORD)


async def reads_per_lifetime(
    *, devices: int, ttl_seconds: float, every_seconds: int, lifetimes: int
) -> tuple[float, float]:
    """Reads per device and lifetime in the long run, and the share of devices in the worst second.

    Each device sends a reading every so many seconds, a share of them in each second. The start,
    when every record is read once, is not counted, nor half a lifetime after it: the first expiries
    come together, and what is counted is to begin and end between two of their waves.
    """
    clock = FakeClock()
    table = Table()
    cache = CachedMetadata(
        table,
        capacity=devices,
        ttl_seconds=ttl_seconds,
        negative_ttl_seconds=ttl_seconds,
        stale_seconds=600.0,
        clock=clock,
        random=Random(1),  # noqa: S311 - jitter
    )
    shares = [
        [f"key-{n}" for n in range(start, devices, every_seconds)] for start in range(every_seconds)
    ]
    for share in shares:
        await cache.fetch(share)
        await clock.advance(1.0)
    assert table.reads == devices
    worst = 0
    for second in range(int((lifetimes + 0.5) * ttl_seconds)):
        if second == int(ttl_seconds / 2):
            assert table.reads == devices
        before = table.reads
        await cache.fetch(shares[second % every_seconds])
        worst = max(worst, table.reads - before)
        await clock.advance(1.0)
    return (table.reads - devices) / devices / lifetimes, worst / devices


@pytest.mark.parametrize(("ttl_seconds", "every_seconds"), [(30.0, 1), (60.0, 7), (100.0, 10)])
async def test_a_record_is_read_once_per_lifetime(ttl_seconds: float, every_seconds: int) -> None:
    """At most devices / TTL reads a second and five in a hundred, and not far below either."""
    rate, _ = await reads_per_lifetime(
        devices=300, ttl_seconds=ttl_seconds, every_seconds=every_seconds, lifetimes=5
    )
    assert ttl_seconds / (ttl_seconds + every_seconds) * 0.9 <= rate <= 1.05


async def test_a_fleet_that_starts_together_is_not_read_together() -> None:
    """A fifth of a lifetime shares out the first expiry of what was all read in one second."""
    _, worst = await reads_per_lifetime(
        devices=1000, ttl_seconds=60.0, every_seconds=1, lifetimes=1
    )
    assert worst <= 1.5 / (0.2 * 60.0)

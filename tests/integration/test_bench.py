"""The bench's own way of looking into a running service."""

import asyncio
from collections import Counter

from loadtest.bench.processes import Sampled, settings
from loadtest.bench.runs import canned, deleted, into_canned, shares
from loadtest.bench.sampled import HTTP, REST, STAGES

MOST_LOOKS = 240


async def test_samples_of_a_service_under_load() -> None:
    """They tell the stages of the whole path, and the times that the system counts are there."""
    samples: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    messages = 0
    async with (
        canned() as answerers,
        Sampled(settings(answerers, into_canned(answerers))) as running,
    ):
        for _ in range(MOST_LOOKS):
            seen = await running.seen()
            samples.update(seen["samples"])
            seconds.update(seen["seconds"])
            # A first delete can be seen at work before its reply was counted.
            messages = await deleted(answerers)()
            if messages and {"receive", "decode", "map and encode", "delete"} <= set(samples):
                break
            await asyncio.sleep(0.25)
    assert messages > 0
    assert {"receive", "decode", "map and encode", "delete"} <= set(samples)
    assert set(samples) <= {*STAGES.values(), "receive", HTTP, REST}
    costs = shares(samples, seconds, messages)
    total = sum(costs.values()) * messages / 1e6
    assert abs(total - sum(seconds.values())) < 1e-6
    assert costs["kernel"] > 0

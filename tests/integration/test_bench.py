"""The bench's own way of looking into a running service."""

import asyncio
from collections import Counter

from loadtest.bench.contenders import fleet_of, plain_aioboto3, whole_path
from loadtest.bench.processes import Sampled, service, settings
from loadtest.bench.runs import canned, deleted, into_canned, shares
from loadtest.bench.sampled import HTTP, REST, STAGES
from loadtest.bench.turns import Turn, in_turn

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


async def test_who_is_paused_stands_still() -> None:
    """Nothing is dealt with until its next turn, which is measured; then it stands still again."""
    async with (
        canned() as answerers,
        service(answerers, into_canned(answerers)) as running,
    ):
        count = deleted(answerers)
        turn = Turn(running, [], count)
        for _ in range(MOST_LOOKS):
            if await count():
                break
            await asyncio.sleep(0.25)
        turn.pause()
        try:
            await asyncio.sleep(0.2)  # for what was on its way
            before = await count()
            await asyncio.sleep(0.3)
            assert await count() == before

            measured = await turn.slice(0.3)
            for _ in range(MOST_LOOKS):
                # On a busy machine a slice can be over before the first delete of many.
                if measured.messages:
                    break
                measured = await turn.slice(0.3)

            after = await count()
            assert 0 < measured.messages <= after - before
            assert measured.cpu_seconds > 0
            await asyncio.sleep(0.3)
            assert await count() <= after + 10 * 64  # calls that were on their way
        finally:
            turn.resume()


async def test_fleets_in_turn() -> None:
    """Each works, with all of its records in memory, and all end afterwards."""
    async with fleet_of(100) as few, fleet_of(200) as more:
        looks = await in_turn({100: few, 200: more}, 0.6)

    assert set(looks) == {100, 200}
    assert all(each.messages > 0 and each.cpu_seconds > 0 for each in looks.values())


async def test_contenders_in_turn() -> None:
    """The service and a loop without it each get their slices, and go on together afterwards."""
    async with plain_aioboto3(tuned=True) as loop, whole_path() as ours:
        looks = await in_turn({"loop": loop, "ours": ours}, 2.4)
        together = await loop.look(1.0), await ours.look(1.0)

    assert all(each.messages > 0 and each.cpu_seconds > 0 for each in looks.values())
    assert all(each.messages > 0 for each in together)

"""Row 45: times that cannot be right, and equal ones."""

import json
import time

import pytest
from faults.conftest import Ground
from service.conftest import reading

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


async def test_f45_times(ground: Ground) -> None:
    """Times in any unit are told apart, those out of range refused, equal ones kept apart."""
    now = int(time.time())
    exact = {
        1: (now * 1000 + 1, now * 10**9 + 10**6),
        2: (str(now * 1000 + 2), now * 10**9 + 2 * 10**6),
        3: (now * 10**6 + 3, now * 10**9 + 3000),
        4: (now * 10**9 + 4, now * 10**9 + 4),
    }
    out_of_range = [-5, "-1700000000", 0, now + 10 * 86_400, 10**25, "9999-12-31T00:00:00Z"]
    same_second = [
        reading(100 + n, deviceid="same", pressure=n, sensordatetime=now) for n in range(20)
    ]
    bad = [reading(50 + n, sensordatetime=each) for n, each in enumerate(out_of_range)]
    twins = [
        reading(200 + n, deviceid="twin", sensordatetime=now * 10**9 + 9, pressure=n)
        for n in range(3)
    ]
    # One batch holds all of it: it is written when the service ends.
    async with ground.service(BATCH_SECONDS="60") as service:
        await ground.send(
            *(reading(n, sensordatetime=value) for n, (value, _) in exact.items()),
            *bad,
            *same_second,
            # The same words again are the same point: a repetition, not a second reading.
            *same_second[:7],
            *twins,
        )
        sent = len(exact) + len(bad) + len(same_second) + 7 + len(twins)
        await ground.until(lambda: ground.site.custody.received >= sent)
        await service.finish()
        log = [json.loads(line) for line in service.log.read_text().splitlines()]

    rows = await ground.stack.influxd.query_influxql("SELECT sequence, family FROM pressure")
    times = {row["sequence"]: row["time"] for row in rows}
    assert {n: times[n] for n in exact} == {n: ns for n, (_, ns) in exact.items()}
    assert sorted(n for n in times if 100 <= n < 200) == list(range(100, 120))
    assert len({times[n] for n in range(100, 120)}) == 20
    assert all(times[n] // 10**9 == now for n in range(100, 120))
    assert len(rows) == len(exact) + 20 + 1
    # Two of the three are lost, as InfluxDB sees it: the only trace is what is counted.
    assert len(times.keys() & {200, 201, 202}) == 1
    assert [each["lines"] for each in log if "overwrite" in each["event"]] == [2]
    letters = {each.body: each.why for each in await ground.stack.take_dead_letters()}
    assert letters.keys() == set(bad)
    assert all(
        why.startswith(("map time-out-of-range", "map bad-time")) for why in letters.values()
    )

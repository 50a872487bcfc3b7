"""Rows 41 and 43 to 46: what devices and records say that nobody should."""

import asyncio
import json
import math
import time
from collections import Counter
from typing import Any

import pytest
from faults.conftest import Ground
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from service.conftest import reading
from support.rig import reading as rig_reading
from support.rig import rig

from ingestor.adapters.memory import FakeClock, MemoryQueue
from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.message import Message, Reason, Rejected
from ingestor.core.metadata import Metadata

on_servers = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

SENT_AT_MS = 1_700_000_000_000

TYPES = """\
[[routes]]
measurement = "m"
[routes.fields]
f = { path = "f", type = "float" }
i = { path = "i", type = "integer" }
b = { path = "b", type = "boolean" }
"""
VALUES = (
    st.none()
    | st.booleans()
    | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**400, 1e308, -0.0])
    | st.sampled_from(["", " ", "12.5", "7", "nan", "-Infinity", "1e999", "1_0", "high", "true"])
    | st.integers()
    | st.floats()
    | st.lists(st.integers(), max_size=1)
    | st.dictionaries(st.just("v"), st.integers(), max_size=1)
)
NUMBERS = {"12.5": 12.5, "7": 7}
"""The texts among them that are numbers."""


def lines_of(mapping: str, body: str, record: Metadata | None = None) -> list[bytes]:
    """The lines of a message, or Rejected."""
    route, opened = Encoder(parse_mapping(mapping)).open(body, sent_at_ms=SENT_AT_MS)
    return route.encode(opened, [record] * len(opened.readings), sent_at_ms=SENT_AT_MS)


def as_float(value: Any) -> float | None:
    """What a float field may hold of a value; None where it must be refused."""
    value = NUMBERS.get(value, value) if isinstance(value, str) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def as_integer(value: Any) -> int | None:
    """The same of an integer field."""
    number = as_float(value)
    if number is None or not number.is_integer():
        return None
    exact = value if isinstance(value, int) else int(number)
    return exact if -(2**63) <= exact < 2**63 else None


def as_boolean(value: Any) -> bool | None:
    """The same of a boolean field."""
    return True if value == "true" else value if isinstance(value, bool) else None


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={"f": VALUES, "i": VALUES, "b": VALUES}))
def test_f41_values_that_are_none(values: dict[str, Any]) -> None:
    """A field is stored as the very value that was sent, or the message is refused for a reason."""
    body = json.dumps(values)
    given_values = {n: v for n, v in values.items() if v is not None and v != ""}
    expected = {
        name: take(given_values[name])
        for name, take in (("f", as_float), ("i", as_integer), ("b", as_boolean))
        if name in given_values
    }
    try:
        [line] = lines_of(TYPES, body)
    except Rejected as refused:
        rejection: Rejected | None = refused
    else:
        rejection = None
    if rejection is not None:
        assert None in expected.values() or not expected, rejection.detail
        if not expected:
            assert rejection.reason is Reason.NO_FIELDS
        return

    measurement, fields, stamp = line.decode().split(" ")
    assert (measurement, stamp) == ("m", f"{SENT_AT_MS}000000")
    found = dict(pair.split("=") for pair in fields.split(","))
    assert found.keys() == expected.keys()
    for name, text in found.items():
        read = json.loads(text.removesuffix("i"))
        assert text.endswith("i") is (name == "i")
        assert repr(read) == repr(expected[name])


INJECTED = """\
[[routes]]
measurement = { path = "m" }
[routes.tags]
t = { path = "t" }
[routes.fields]
sequence = { path = "sequence", type = "integer" }
text = { path = "text", type = "string" }
[[routes.wildcards]]
type = "string"
exclude = ["m", "t", "sequence", "text", "at"]
[routes.time]
paths = ["at"]
"""
OWN = {"m", "t", "sequence", "text", "at", "time"}
MESSAGES = 150
PIECES = [
    *("\n", "\r", "\t", "\\", ",", " ", "=", "#", '"', "'", "\0", "\x1b", "\ud800", "\u2028"),
    *("a", "time", "_field", "m,t=x f=1 1", "\nevil f=1\n", "\\ ", "\\,", "ü", "😀"),
]


def injections() -> list[dict[str, str]]:
    """Texts for a measurement, a tag, a field's text, and a field's name with its text."""
    found: list[dict[str, str]] = []
    texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
    parts = dict.fromkeys(("m", "t", "text", "name"), texts)

    # No random ones: the same messages in every run, so that a failure can be looked into.
    @settings(
        max_examples=MESSAGES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries(parts))
    def collect(drawn: dict[str, str]) -> None:
        found.append(drawn)

    collect()
    # Most drawn ones are bad in one of four places: these are odd in one place alone.
    good = {"m": "a", "t": "a", "text": "a", "name": "a"}
    found += [good | {part: f"a{piece}b"} for part in parts for piece in PIECES]
    return found


class TestOnServers:
    """Through the real service, into a real InfluxDB, and back."""

    pytestmark = on_servers

    async def test_f43_injection(self, ground: Ground) -> None:
        """Odd characters come back exactly, or the message is dead-lettered; no series is new."""
        drawn = injections()
        base = time.time_ns()
        bodies = {
            n: json.dumps(
                {"m": each["m"], "t": each["t"], "text": each["text"], each["name"]: "value"}
                | {"sequence": n, "at": base + n}
            )
            for n, each in enumerate(drawn)
        }
        async with ground.service(
            MAPPING=INJECTED, SELF_REPORT_SECONDS="0", GUARD_MESSAGES="0"
        ) as service:
            await ground.send(*bodies.values())
            await ground.until_empty()
            await service.finish()

        letters = Counter(each.body for each in await ground.stack.take_dead_letters())
        accepted = [n for n in bodies if bodies[n] not in letters]
        assert sum(letters.values()) + len(accepted) == len(bodies)
        assert len(accepted) > 60
        query = ground.stack.influxd.query_influxql
        names = [row["name"] for row in await query("SHOW MEASUREMENTS")]
        assert set(names) == {drawn[n]["m"] for n in accepted}
        found = {}
        for name in names:
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            for row in await query(f'SELECT * FROM "{quoted}"'):  # noqa: S608 - no SQL
                values = {k: v for k, v in row.items() if v is not None and k != "time"}
                found[values.pop("sequence")] = (name, row["time"], values)
        assert sorted(found) == accepted
        for n in accepted:
            each = drawn[n]
            name, stamp, values = found[n]
            assert (name, stamp) == (each["m"], base + n)
            own = {"t": each["t"], "text": each["text"]}
            assert values in (own, own | {each["name"]: "value"})
        series = {(drawn[n]["m"], drawn[n]["t"]) for n in accepted}
        assert len(await query("SHOW SERIES")) == len(series)
        # InfluxDB's own DROP SERIES does not find all of these names again.
        influxd = ground.stack.influxd
        for statement in (
            f"DROP DATABASE {influxd.database}",
            f"CREATE DATABASE {influxd.database}",
            f"GRANT ALL ON {influxd.database} TO {influxd.username}",
        ):
            await ground.administrate(statement)

    async def test_f45_times(self, ground: Ground) -> None:
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
        async with ground.service() as service:
            await ground.send(
                *(reading(n, sensordatetime=value) for n, (value, _) in exact.items()),
                *bad,
                *same_second,
                # The same words again are the same point: a repetition, not a second reading.
                *same_second[:7],
            )
            await ground.until_empty()
            await service.finish()

        rows = await ground.stack.influxd.query_influxql("SELECT sequence, family FROM pressure")
        times = {row["sequence"]: row["time"] for row in rows}
        assert {n: times[n] for n in exact} == {n: ns for n, (_, ns) in exact.items()}
        assert sorted(n for n in times if n >= 100) == list(range(100, 120))
        assert len({times[n] for n in range(100, 120)}) == 20
        assert all(times[n] // 10**9 == now for n in range(100, 120))
        assert len(rows) == len(exact) + 20
        letters = {each.body: each.why for each in await ground.stack.take_dead_letters()}
        assert letters.keys() == set(bad)
        assert all(
            why.startswith(("map time-out-of-range", "map bad-time")) for why in letters.values()
        )


def test_f44_huge_records() -> None:
    """Of a record with thousands of tags or huge values no more is stored than limits allow."""
    body = rig_reading(1, pressure=1)
    many = Metadata({f"tag{n}": "x" for n in range(10_000)} | {"family": "sensors"})
    long = Metadata({"family": "sensors", "note": "x" * 65_536})
    allowing = DEFAULT_MAPPING.replace(
        'missing = "write"', 'missing = "write"\ninclude = ["family"]'
    )

    with pytest.raises(Rejected) as refused:
        lines_of(DEFAULT_MAPPING, body, many)
    assert refused.value.reason is Reason.TOO_MANY_TAGS
    assert "10002" in refused.value.detail
    [line] = lines_of(DEFAULT_MAPPING, body, long)
    assert line.startswith(b"pressure,family=sensors,sensorID=d1c pressureValue=1.0 ")
    assert lines_of(allowing, body, many) == [line]


DIGITS = 4_000
BAD_JSON = {
    "empty": ("", Reason.NOT_JSON),
    "blank": (" \n", Reason.NOT_JSON),
    "cut": ('{"pressure": 1', Reason.NOT_JSON),
    "rest": ('{"pressure": 1} x', Reason.NOT_JSON),
    "nan": (rig_reading(1, pressure=math.nan), Reason.NOT_JSON),
    "infinity": (rig_reading(1, pressure=-math.inf), Reason.NOT_JSON),
    "exponent": ('{"pressure": 1e999}', Reason.NOT_JSON),
    "BOM": ("\ufeff" + rig_reading(1), Reason.NOT_JSON),
    "lone surrogate": (rig_reading(1, deviceid="\ud800"), Reason.NOT_JSON),
    "raw surrogate": ('{"pressure": 1, "deviceid": "\udcff"}', Reason.NOT_JSON),
    "array": ("[]", Reason.NOT_AN_OBJECT),
    "array of readings": (f"[{rig_reading(1)}]", Reason.NOT_AN_OBJECT),
    "number": ("1", Reason.NOT_AN_OBJECT),
    "null": ("null", Reason.NOT_AN_OBJECT),
    "empty object": ("{}", Reason.MISSING_TAG),
    "too deep by one": (rig_reading(1, x=json.loads("[" * 32 + "]" * 32)), Reason.TOO_DEEP),
    "deep": ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", Reason.TOO_DEEP),
    "deep objects": ('{"x":' * 100_000 + "1" + "}" * 100_000, Reason.TOO_DEEP),
    "1 MiB of nothing": ("x" * 2**20, Reason.NOT_JSON),
    "1 MiB of arrays": ("[" + "[]," * (2**20 // 3) + "[]]", Reason.NOT_AN_OBJECT),
    "1 MiB of digits": ('{"pressure": ' + "9" * 2**20 + "}", Reason.NOT_JSON),
    "many digits": (rig_reading(1, pressure="9" * DIGITS), Reason.BAD_FIELD),
}
ODD_JSON = {
    "twice": '{"pressure": "high", "deviceid": "d900", "clientid": "c", "pressure": 5}',
    "nested": rig_reading(901, x={"y": [1, [2, [3]]]}),
    "1 MiB": rig_reading(902, x="y" * (2**20 - 200)),
    "escapes": '{"pressure": 5, "deviceid": "d\\u0039 \\ud83d\\ude00", "clientid": "c"}',
}
"""Unusual, but good."""


class Remote(MemoryQueue):
    """Answers after a turn of the loop at the soonest, as all do that are asked over a network."""

    async def receive(self) -> list[Message]:
        """See Queue."""
        await asyncio.sleep(0)
        return await super().receive()


async def test_f46_json() -> None:
    """Of any odd text one message is refused, and the loop turns after each ten at most."""
    clock = FakeClock()
    r = rig(pollers=1, clock=clock, queue=Remote(clock=clock))
    bodies = [rig_reading(n) for n in range(9 * len(BAD_JSON))]
    for n, (body, _) in enumerate(BAD_JSON.values()):
        bodies.insert(n * 10, body)
    ids = r.send(*bodies, *ODD_JSON.values())
    taken_at_once: list[int] = []

    async def watch() -> None:
        """At every turn of the loop: how much was done since the one before."""
        before = 0
        while True:
            taken_at_once.append(r.totals.received - before)
            before = r.totals.received
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch(), name="watch")
    async with r.running():
        await r.until(lambda: len(r.queue.deleted) == len(ids))
    watching.cancel()

    found = {each.message.body: each.rejection.reason for each in r.queue.dead_letters}
    assert {name: found.get(body) for name, (body, _) in BAD_JSON.items()} == {
        name: reason for name, (_, reason) in BAD_JSON.items()
    }
    assert len(r.queue.dead_letters) == len(BAD_JSON)
    assert len(r.sink.points) == 9 * len(BAD_JSON) + len(ODD_JSON)
    # A turn of the loop decodes one answer of SQS: ten messages, a MiB together.
    assert max(taken_at_once) == 10

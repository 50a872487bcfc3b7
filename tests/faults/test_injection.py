"""Row 43: texts that would be something else in the line protocol."""

import base64
import json
import time
from collections import Counter

import pytest
from faults.conftest import Ground
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

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


async def test_f43_injection(ground: Ground) -> None:
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


BINARY = """\
[[routes]]
measurement = "m"
[routes.payload]
unpack = ["base64"]
[routes.tags]
t = { path = "t" }
[routes.fields]
sequence = { path = "sequence", type = "integer" }
"""
NO_TEXT = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x80a"]
"""No UTF-8: alone, cut off, a surrogate, an overlong zero, beyond Unicode, a rest."""


async def test_f43_no_utf8(ground: Ground) -> None:
    """Bytes that are no text are dead-lettered as no JSON, and their neighbours are stored."""

    def packed(number: int, text: bytes) -> str:
        return base64.b64encode(b'{"t":"%b","sequence":%d}' % (text, number)).decode()

    bad = [packed(100 + n, text) for n, text in enumerate(NO_TEXT)]
    async with ground.service(MAPPING=BINARY, SELF_REPORT_SECONDS="0") as service:
        await ground.send(*bad, *(packed(n, f"ü{n}".encode()) for n in range(10)))
        await ground.until_empty()
        await service.finish()

    letters = {each.body: each.why for each in await ground.stack.take_dead_letters()}
    assert letters.keys() == set(bad)
    assert all(why.startswith("decode not-json") for why in letters.values())
    rows = await ground.stack.influxd.query_influxql("SELECT sequence, t FROM m")
    assert sorted((row["sequence"], row["t"]) for row in rows) == [(n, f"ü{n}") for n in range(10)]

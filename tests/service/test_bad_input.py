"""Every kind of bad message among good ones, through the real service."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from service.conftest import Site, reading

pytestmark = pytest.mark.servers

NOW = datetime.now(UTC)
MEBIBYTE_BUT_SOME = 2**20 - 4096
"""What SQS takes at most, less the room that MiniStack wants for its own."""

BAD = {
    '{"pressure": 1, "broken': "decode not-json the body is not JSON",
    reading(901).replace("900", "NaN"): "decode not-json the body is not JSON",
    reading(902).replace("900", "1e400"): "decode not-json the body is not JSON",
    '{"a": ' + "[" * 50_000 + "]" * 50_000 + "}": "decode too-deep",
    "[1, 2]": "decode not-an-object the body is an array",
    '"text"': "decode not-an-object the body is a string",
    "x" * MEBIBYTE_BUT_SOME: "decode not-json the body is not JSON",
    " ": "decode not-json the body is empty",
    reading(903, pressure="high"): "map bad-field pressure",
    reading(904, deviceid="a\nb"): "map bad-tag tag sensorID",
    reading(905, deviceid="a\x00b"): "map bad-tag tag sensorID",
    reading(906, clientid="a\\"): "map bad-tag tag sensorID",
    reading(907, deviceid=""): "map missing-tag deviceid",
    reading(908, sensordatetime="1980-01-01T00:00:00"): "map time-out-of-range sensordatetime",
    reading(909, sensordatetime="2980-01-01T00:00:00"): "map time-out-of-range sensordatetime",
    reading(910, metakey=["a"]): "map bad-metadata-key metakey",
    reading(911, pressure=None, viscosity=None, sequence=None): "map no-fields sequence, pressure",
}
"""Bodies, and how the reason of each begins."""

ODD = [
    reading(1, metakey=None),
    reading(2, metakey="nobody knows this one"),
    reading(3, deviceid='quote"'),
    reading(4, deviceid="back\\slash"),
    reading(5, deviceid="comma, space = equals"),
    reading(6, deviceid="#hash"),
    reading(7, deviceid="ünïcödé 🌡"),
    reading(8, note="x" * 900_000),
    reading(9, sensordatetime=(NOW - timedelta(days=3000)).isoformat()),
    reading(10, pressure="1013.25"),
]
"""Unusual, but good."""


async def test_bad_input(site: Site) -> None:
    """Every good message is stored, every bad one is dead-lettered with its reason."""
    good = [reading(n) for n in range(11, 100)]
    bodies = [*ODD, *good]
    for n, body in enumerate(BAD):
        bodies.insert(n * 5, body)
    large = [body for body in bodies if len(body) > 20_000]
    async with site.service() as service:
        for body in large:
            await site.send(body)
        await site.send(*(body for body in bodies if body not in large))
        await site.until_empty()
        service.check()
        await service.finish()

    assert await site.sequences() == list(range(1, 100))
    letters = await site.stack.take_dead_letters()
    reasons = {letter.body: letter.why for letter in letters}
    assert len(letters) == len(BAD)
    for body, why in BAD.items():
        [found] = [reasons[each] for each in reasons if each == body or _packed(each, body)]
        assert found.startswith(why)


def _packed(found: str, body: str) -> bool:
    """True for a body that was compressed because it left no room for its reason."""
    return len(body) > 900_000 and found.startswith("H4sI")


async def test_tags_survive_their_escaping(site: Site) -> None:
    """What a device calls itself is what InfluxDB answers."""
    names = ['quote"', "back\\slash", "a\\,b", "comma, space = equals", "#hash", "ünï 🌡"]
    async with site.service() as service:
        await site.send(*(reading(n, deviceid=name, clientid="|") for n, name in enumerate(names)))
        await site.until_empty()
        await service.finish()

    rows = await site.stack.influxd.query_influxql('SELECT sequence, "sensorID" FROM pressure')
    assert {row["sequence"]: row["sensorID"] for row in rows} == {
        n: f"{name}|" for n, name in enumerate(names)
    }


def test_the_bad_are_all_different() -> None:
    """Each body of the table is its own case."""
    assert len(BAD) == 17
    assert len({json.dumps(body) for body in ODD}) == len(ODD)

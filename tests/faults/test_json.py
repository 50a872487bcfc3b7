"""Row 46: bodies that are no JSON, or more of it than anybody needs."""

import asyncio
import json
import math

import pytest
from support.rig import reading, rig

from ingestor.adapters.memory import FakeClock, MemoryQueue
from ingestor.core.encode import Encoder, RouteEncoder
from ingestor.core.message import Delivered, Reason
from ingestor.core.opened import Opened

DIGITS = 4_000
BAD_JSON = {
    "empty": ("", Reason.NOT_JSON),
    "blank": (" \n", Reason.NOT_JSON),
    "cut": ('{"pressure": 1', Reason.NOT_JSON),
    "rest": ('{"pressure": 1} x', Reason.NOT_JSON),
    "nan": (reading(1, pressure=math.nan), Reason.NOT_JSON),
    "infinity": (reading(1, pressure=-math.inf), Reason.NOT_JSON),
    "exponent": ('{"pressure": 1e999}', Reason.NOT_JSON),
    "BOM": ("\ufeff" + reading(1), Reason.NOT_JSON),
    "lone surrogate": (reading(1, deviceid="\ud800"), Reason.NOT_JSON),
    "raw surrogate": ('{"pressure": 1, "deviceid": "\udcff"}', Reason.NOT_JSON),
    "array": ("[]", Reason.NOT_AN_OBJECT),
    "array of readings": (f"[{reading(1)}]", Reason.NOT_AN_OBJECT),
    "number": ("1", Reason.NOT_AN_OBJECT),
    "null": ("null", Reason.NOT_AN_OBJECT),
    "empty object": ("{}", Reason.MISSING_TAG),
    "too deep by one": (reading(1, x=json.loads("[" * 32 + "]" * 32)), Reason.TOO_DEEP),
    "deep": ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", Reason.TOO_DEEP),
    "deep objects": ('{"x":' * 100_000 + "1" + "}" * 100_000, Reason.TOO_DEEP),
    "1 MiB of nothing": ("x" * 2**20, Reason.NOT_JSON),
    "1 MiB of arrays": ("[" + "[]," * (2**20 // 3) + "[]]", Reason.NOT_AN_OBJECT),
    "1 MiB of digits": ('{"pressure": ' + "9" * 2**20 + "}", Reason.NOT_JSON),
    "many digits": (reading(1, pressure="9" * DIGITS), Reason.BAD_FIELD),
}
ODD_JSON = {
    "twice": '{"pressure": "high", "deviceid": "d900", "clientid": "c", "pressure": 5}',
    "nested": reading(901, x={"y": [1, [2, [3]]]}),
    "1 MiB": reading(902, x="y" * (2**20 - 200)),
    "escapes": '{"pressure": 5, "deviceid": "d\\u0039 \\ud83d\\ude00", "clientid": "c"}',
}
"""Unusual, but good."""


class Remote(MemoryQueue):
    """Answers after a turn of the loop at the soonest, as all do that are asked over a network."""

    async def receive(self) -> Delivered:
        """See Queue."""
        await asyncio.sleep(0)
        return await super().receive()


async def test_f46_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any odd text one message is refused, and the loop turns after each ten at most."""
    opened = 0
    open_one = Encoder.open

    def counting(self: Encoder, text: str, *, sent_at_ms: int) -> tuple[RouteEncoder, Opened]:
        nonlocal opened
        opened += 1
        return open_one(self, text, sent_at_ms=sent_at_ms)

    monkeypatch.setattr(Encoder, "open", counting)
    clock = FakeClock()
    r = rig(pollers=1, clock=clock, queue=Remote(clock=clock))
    bodies = [reading(n) for n in range(9 * len(BAD_JSON))]
    for n, (body, _) in enumerate(BAD_JSON.values()):
        bodies.insert(n * 10, body)
    ids = r.send(*bodies, *ODD_JSON.values())
    opened_at_once: list[int] = []

    async def watch() -> None:
        """At every turn of the loop: how much was done since the one before."""
        before = 0
        while True:
            opened_at_once.append(opened - before)
            before = opened
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
    assert max(opened_at_once) == 10

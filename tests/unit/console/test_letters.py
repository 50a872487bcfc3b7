"""Dead letters: groups, one letter, count, replay and purge."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.console import Client, Rig

from ingestor.core.metadata import Metadata
from ingestor.ports import Unavailable

BAD = '{"pressure": "many ü😀", "deviceid": "d", "clientid": "c", "metakey": "k1"}'
REASON = {
    "stage": "map",
    "reason": "bad-field",
    "detail": "pressure: it is a text that is no number",
}


@pytest.fixture
def rig() -> Rig:
    """Three letters of ours, one that SQS moved, one that is damaged."""
    rig = Rig()
    for n in range(3):
        rig.letters.put(BAD, {**REASON, "topic": "<b>"}, sent_at_ms=1_700_000_000_000 + n)
    rig.letters.put(BAD.replace('"many ü😀"', "5"), {})
    rig.letters.put("?", {"stage": "decode", "reason": "too-large", "encoding": "gzip+base64"})
    return rig


@pytest_asyncio.fixture
async def client(rig: Rig) -> AsyncIterator[Client]:
    """A client of it."""
    async with rig.running() as client:
        yield client


async def test_groups(client: Client) -> None:
    """By stage and reason, the largest first, with a hint and samples."""
    letters = await client.get("/dead-letters")
    assert (letters["waiting"], letters["looked_at"], letters["complete"]) == (5, 5, True)
    first = letters["groups"][0]
    assert (first["stage"], first["reason"], first["count"]) == ("map", "bad-field", 3)
    assert first["hint"]
    assert first["samples"][0]["topic"] == "<b>"
    assert (first["oldest_ms"], first["newest_ms"]) == (1_700_000_000_000, 1_700_000_000_002)
    assert {each["reason"] for each in letters["groups"]} == {
        "bad-field",
        "moved-by-sqs",
        "too-large",
    }


async def test_one_letter_with_the_place_of_the_mistake(rig: Rig, client: Client) -> None:
    """The mark counts as JavaScript does; `now` is what the mapping makes of it today."""
    letter = await client.get("/dead-letters/letter", id="letter-0")
    mark = letter["mark"]
    units = letter["payload"].encode("utf-16-le")
    assert units[2 * mark["start"] : 2 * mark["end"]].decode("utf-16-le") == '"many ü😀"'
    assert mark["path"] == "pressure"
    assert letter["now"]["refusal"]["reason"] == "bad-field"
    assert not letter["now"]["ok"]
    rig.store.records["k1"] = Metadata({"maker": "Acme"})
    good = await client.get("/dead-letters/letter", id="letter-3")
    assert good["now"]["ok"]
    assert "maker=Acme" in good["now"]["lines"][0]
    damaged = await client.get("/dead-letters/letter", id="letter-4")
    assert (damaged["payload"], damaged["now"]) == (None, None)
    assert "damaged" in damaged["not_restorable"]
    status, _, _ = await client.ask("GET", "/dead-letters/letter", params={"id": "none"})
    assert status == 404


async def test_replay_what_was_counted(rig: Rig, client: Client) -> None:
    """Exactly the letters of the selection are sent and deleted, and that is written down."""
    selection = {"stage": "map", "reason": "bad-field"}
    status, counted = await client.post("/dead-letters/count", selection)
    assert (status, counted["count"], counted["more"]) == (200, 3, False)
    confirmed = {"selection": selection, **counted}
    del confirmed["more"]
    status, done = await client.post("/dead-letters/replay", confirmed)
    assert (status, done) == (200, {"selected": 3, "done": 3, "left": 0, "notes": []})
    assert rig.letters.sent == [BAD] * 3
    assert len(rig.letters) == 2
    [event] = [each for each in rig.events if each["event"] == "console change"]
    assert (event["operation"], event["selected"], event["done"]) == ("replay_letters", 3, 3)
    letters = await client.get("/dead-letters")
    assert letters["looked_at"] == 2


async def test_other_letters_than_were_counted(rig: Rig, client: Client) -> None:
    """409 with the present count and confirmation; nothing is touched."""
    _, counted = await client.post("/dead-letters/count", {"reason": "bad-field"})
    rig.letters.put(BAD, REASON)
    confirmed = {
        "selection": {"reason": "bad-field"},
        "count": counted["count"],
        "confirmation": counted["confirmation"],
    }
    status, problem = await client.post("/dead-letters/purge", confirmed)
    assert (status, problem["count"]) == (409, 4)
    assert len(rig.letters) == 6
    again = {**confirmed, "count": 4, "confirmation": problem["confirmation"]}
    status, done = await client.post("/dead-letters/purge", again)
    assert (status, done["done"]) == (200, 4)
    assert rig.letters.sent == []
    assert len(rig.letters) == 2


async def test_some_by_id(rig: Rig, client: Client) -> None:
    """A selection may name its letters."""
    selection = {"ids": ["letter-1", "gone"]}
    _, counted = await client.post("/dead-letters/count", selection)
    assert counted["count"] == 1
    body = {"selection": selection, "count": 1, "confirmation": counted["confirmation"]}
    assert (await client.post("/dead-letters/replay", body))[1]["done"] == 1
    assert rig.letters.sent == [BAD]


async def test_what_cannot_be_restored_stays(rig: Rig, client: Client) -> None:
    """A damaged letter is named, and left where it is."""
    selection = {"reason": "too-large"}
    _, counted = await client.post("/dead-letters/count", selection)
    body = {"selection": selection, "count": 1, "confirmation": counted["confirmation"]}
    _, done = await client.post("/dead-letters/replay", body)
    assert (done["done"], done["left"]) == (0, 1)
    assert done["notes"][0].startswith("letter-4 stays: ")
    assert len(rig.letters) == 5


async def test_more_than_can_be_selected_at_once(rig: Rig, client: Client) -> None:
    """Then any 500 of the selection are confirmed."""
    for _ in range(600):
        rig.letters.put(BAD, REASON)
    _, counted = await client.post("/dead-letters/count", {"reason": "bad-field"})
    assert (counted["count"], counted["more"]) == (500, True)
    rig.letters.put(BAD, REASON)
    body = {
        "selection": {"reason": "bad-field"},
        "count": 500,
        "confirmation": counted["confirmation"],
    }
    _, done = await client.post("/dead-letters/purge", body)
    assert done["done"] == 500
    letters = await client.get("/dead-letters")
    assert letters["looked_at"] == 106


async def test_sqs_is_down(rig: Rig, client: Client) -> None:
    """503, and half of a replay says what is left."""
    rig.letters.fault = Unavailable("SQS is down.")
    status, problem, _ = await client.ask("GET", "/dead-letters")
    assert (status, problem["detail"]) == (503, "SQS is down.")
    rig.letters.fault = None
    rig.letters.stubborn = {"letter-1"}
    _, counted = await client.post("/dead-letters/count", {"reason": "bad-field"})
    body = {
        "selection": {"reason": "bad-field"},
        "count": 3,
        "confirmation": counted["confirmation"],
    }
    _, done = await client.post("/dead-letters/replay", body)
    assert (done["done"], done["left"]) == (2, 1)


async def test_try_a_payload(rig: Rig, client: Client) -> None:
    """With the mapping in force, another one, given records, and a wrong mapping."""
    info = await client.get("/mapping")
    assert info["routes"][0]["fields"]["pressureValue"] == "pressure (float)"
    status, outcome = await client.post("/mapping/try", {"payload": BAD})
    assert (status, outcome["ok"], outcome["refusal"]["reason"]) == (200, False, "bad-field")
    assert outcome["mark"]["path"] == "pressure"
    corrected = info["text"].replace(
        'path = "pressure", type = "float"', 'path = "pressure", type = "string"'
    )
    body = {"payload": BAD, "mapping": corrected, "records": {"k1": {"maker": "Given"}}}
    _, outcome = await client.post("/mapping/try", body)
    assert outcome["ok"]
    assert "maker=Given" in outcome["lines"][0]
    assert {each["what"] for each in outcome["parts"][0]} >= {"tag maker", "field pressureValue"}
    _, outcome = await client.post("/mapping/try", {"payload": BAD, "mapping": "[[routes]]\nx = 1"})
    assert {each["line"] for each in outcome["mistakes"]} >= {2}
    held = info["text"].replace('missing = "write"', 'missing = "hold"')
    good = json.dumps({"pressure": 1, "deviceid": "d", "metakey": "new"})
    _, outcome = await client.post("/mapping/try", {"payload": good, "mapping": held})
    assert outcome["refusal"]["reason"] == "no-metadata"
    assert rig.store.fetches[-1] == ("new",)
    _, outcome = await client.post("/mapping/try", {"payload": '{"a": x}', "topic": "t"})
    assert outcome["refusal"]["reason"] == "not-json"
    assert (outcome["mark"]["start"], outcome["mark"]["path"]) == (6, "")
    bad = {"payload": "x" * 300_000}
    assert (await client.post("/mapping/try", bad))[0] == 422

"""Metadata records: list, edit under ETags, import, export, take effect."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from support.console import Client, Rig

from ingestor.adapters.memory import MemoryRecords
from ingestor.console.editing import checked, etag_of
from ingestor.console.sheets import MOST_ROWS, read_csv, write_csv
from ingestor.console_ports import Item, NotStorable
from ingestor.core.tablekeys import Keys

KEYS = Keys("metakey")
BOTH = Keys("site", "unit")
NEW = {"If-None-Match": "*"}


@pytest.fixture
def rig() -> Rig:
    """Two records; the second has what cannot be edited."""
    return Rig(
        table=MemoryRecords(
            [
                {"metakey": {"S": "k1"}, "maker": {"S": "Acme"}, "range": {"N": "10"}},
                {"metakey": {"S": "<script>"}, "list": {"L": [{"S": "x"}]}, "raw": {"B": "AA=="}},
            ]
        )
    )


@pytest_asyncio.fixture
async def client(rig: Rig) -> AsyncIterator[Client]:
    """A client of it."""
    async with rig.running() as client:
        yield client


async def etag(client: Client, key: str) -> str:
    """The present state of a record."""
    _, _, headers = await client.ask("GET", "/metadata/record", params={"key": key})
    return str(headers["ETag"])


async def put(client: Client, key: str, attributes: object, **headers: str) -> tuple[int, object]:
    """Status and body of a PUT."""
    status, body, _ = await client.ask(
        "PUT",
        "/metadata/record",
        params={"key": key},
        json={"attributes": attributes},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return status, body


async def test_list_facets_and_one(client: Client) -> None:
    """Records by key, what can be filtered by, and one with its ETag."""
    page = await client.get("/metadata")
    assert [each["key"] for each in page["items"]] == ["<script>", "k1"]
    assert page["index"]["complete"]
    found = await client.get("/metadata", where="maker=Acme")
    assert [each["key"] for each in found["items"]] == ["k1"]
    facets = await client.get("/attributes")
    assert {each["name"] for each in facets["attributes"]} == {"maker", "range"}
    tag = await etag(client, "k1")
    query = {"params": {"key": "k1"}}
    status, _, _ = await client.ask(
        "GET", "/metadata/record", **query, headers={"If-None-Match": f'"x", {tag}'}
    )
    assert status == 304
    status, _, _ = await client.ask("GET", "/metadata/record", params={"key": "nobody"})
    assert status == 404


async def test_replace_takes_effect_and_is_written_down(rig: Rig, client: Client) -> None:
    """The table, the search, the cache and the log know of a change."""
    await client.get("/metadata")
    tag = await etag(client, "k1")
    status, body, headers = await client.ask(
        "PUT",
        "/metadata/record",
        params={"key": "k1"},
        json={"attributes": {"maker": {"S": "<b>New</b>"}, "on": {"BOOL": True}}},
        headers={"If-Match": tag},
    )
    assert status == 200
    assert body["record"]["tags"] == {"metakey": "k1", "maker": "<b>New</b>", "on": "true"}
    assert body["effect"] == {"here": "at once", "other_tasks_within_seconds": 330.0}
    assert headers["ETag"] == await etag(client, "k1") != tag
    assert "range" not in rig.table.items["k1"]
    assert rig.forgotten == ["k1"]
    found = await client.get("/metadata", q="<b>new")
    assert [each["key"] for each in found["items"]] == ["k1"]
    [event] = [each for each in rig.events if each["event"] == "console change"]
    assert event["operation"] == "put_record"
    assert event["attributes"] == ["maker", "on", "range"]
    assert (event["key"], event["user"], event["created"]) == ("k1", "local", False)


async def test_a_change_is_forgotten_once_more(rig: Rig, client: Client) -> None:
    """A look-up that was eventually consistent does not keep the old record for the TTL."""
    await put(client, "new", {"a": {"S": "b"}}, If_None_Match="*")
    async with asyncio.timeout(10):
        await rig.forgot_twice.wait()
    assert rig.forgotten == ["new", "new"]


async def test_a_worker_that_does_not_answer_is_told(rig: Rig, client: Client) -> None:
    """Then nobody is promised that the change is seen at once."""
    rig.worker_is_silent = True
    _, body = await client.post("/metadata/refresh", {"keys": [{"key": "k1"}]})
    assert body["effect"]["here"] == "when copies expire"
    assert body["dropped"] == 0


async def test_conflicts(rig: Rig, client: Client) -> None:
    """Another state, a record that is there, one that is gone, and no condition at all."""
    tag = await etag(client, "k1")
    await rig.table.merge({"metakey": {"S": "k1"}, "theirs": {"S": "x"}})
    before = rig.table.items["k1"]
    status, problem, headers = await client.ask(
        "PUT",
        "/metadata/record",
        params={"key": "k1"},
        json={"attributes": {}},
        headers={"If-Match": tag},
    )
    assert (status, problem["type"]) == (412, "urn:ingestor:conflict")
    assert headers["ETag"] == etag_of(before)
    assert (await put(client, "k1", {}, If_None_Match="*"))[0] == 412
    assert (await put(client, "gone", {}, If_Match=tag))[0] == 404
    assert (await put(client, "k1", {}))[0] == 428
    assert (await put(client, "k1", {}, If_None_Match=tag))[0] == 428
    assert (await put(client, "k1", {}, If_Match=""))[0] == 412
    assert rig.table.items["k1"] == before
    assert (await put(client, "k1", {"a": {"N": "1"}}, If_Match="*"))[0] == 200


async def test_what_cannot_be_edited_stays(rig: Rig, client: Client) -> None:
    """Lists and binary values survive a replacement, and cannot be overwritten."""
    key = "<script>"
    tag = await etag(client, key)
    assert (await put(client, key, {"a": {"S": "b"}}, If_Match=tag))[0] == 200
    assert rig.table.items[key]["list"] == {"L": [{"S": "x"}]}
    assert rig.table.items[key]["raw"] == {"B": "AA=="}
    tag = await etag(client, key)
    assert (await put(client, key, {"list": {"S": "b"}}, If_Match=tag))[0] == 422


@pytest.mark.parametrize(
    "attributes",
    [
        {"a": "plain"},
        {"a": {}},
        {"a": {"S": "x", "N": "1"}},
        {"a": {"S": ""}},
        {"a": {"S": "line\nbreak"}},
        {"a": {"S": "back\\"}},
        {"a": {"S": 5}},
        {"a": {"N": 5}},
        {"a": {"N": "NaN"}},
        {"a": {"N": "1e9999"}},
        {"a": {"BOOL": "true"}},
        {"a": {"NULL": False}},
        {"a": {"SS": []}},
        {"a": {"SS": ["x", "x"]}},
        {"a": {"SS": ["x", 1]}},
        {"a": {"NS": ["x"]}},
        {"a": {"L": []}},
        {"": {"S": "x"}},
        {"metakey": {"S": "x"}},
        {"x" * 256: {"S": "x"}},
        {f"a{n}": {"S": "x"} for n in range(101)},
    ],
)
async def test_what_is_no_record(rig: Rig, client: Client, attributes: object) -> None:
    """422, and nothing is written."""
    status, problem = await put(client, "new", attributes, If_None_Match="*")
    assert status == 422, problem
    assert "new" not in rig.table.items


@pytest.mark.parametrize("key", ["line\nbreak", "back\\"])
async def test_keys_that_no_tag_can_hold(client: Client, key: str) -> None:
    """They would make readings that cannot be stored."""
    assert (await put(client, key, {}, If_None_Match="*"))[0] == 422


async def test_bodies(client: Client) -> None:
    """Another type, no JSON, too large, unknown members."""
    how = {"params": {"key": "n"}, "headers": NEW}
    ask = client.ask
    assert (await ask("PUT", "/metadata/record", **how, data="{}"))[0] == 415
    typed = {**how, "headers": {**NEW, "Content-Type": "application/json"}}
    assert (await ask("PUT", "/metadata/record", **typed, data="{"))[0] == 400
    assert (await ask("PUT", "/metadata/record", **typed, data="x" * 600_000))[0] == 413
    assert (await ask("PUT", "/metadata/record", **how, json={"attributes": {}, "x": 1}))[0] == 422
    assert (await ask("PUT", "/metadata/record", **how, json=[]))[0] == 422


async def test_refresh(rig: Rig, client: Client) -> None:
    """Copies are dropped here; for other tasks the answer says when."""
    status, body = await client.post("/metadata/refresh", {"keys": [{"key": "k1"}]})
    assert (status, body["dropped"]) == (200, 1)
    assert rig.forgotten[0] == "k1"
    bad = {"keys": [{"key": "k1", "sort_key": "x"}]}
    assert (await client.post("/metadata/refresh", bad))[0] == 422


async def test_export_and_import(rig: Rig, client: Client) -> None:
    """What is exported can be imported; a change in it is made; mistakes change nothing."""
    status, text, _ = await client.ask("GET", "/metadata/export.csv")
    assert status == 200
    assert text == "metakey,maker,range:N\r\n<script>,,\r\nk1,Acme,10\r\n"
    csv = {"Content-Type": "text/csv"}
    status, done, _ = await client.ask("POST", "/metadata/import", data=text, headers=csv)
    assert (status, done["unchanged"]) == (200, 2)
    more = text + "k2,Neu,\r\n"
    status, done, _ = await client.ask(
        "POST", "/metadata/import", data=more, headers=csv, params={"dry_run": "true"}
    )
    assert (done["rows"], done["created"], "k2" in rig.table.items) == (3, 0, False)
    status, done, _ = await client.ask(
        "POST", "/metadata/import", data=more.replace("Acme", "New"), headers=csv
    )
    assert (done["created"], done["changed"], done["unchanged"]) == (1, 1, 1)
    assert rig.table.items["k1"]["maker"] == {"S": "New"}
    wrong = "metakey,range:N\r\nk1,11\r\nk2,many\r\nk3\r\n"
    status, problem, _ = await client.ask("POST", "/metadata/import", data=wrong, headers=csv)
    assert status == 422
    assert [each["where"] for each in problem["errors"]] == ["line 3", "line 4"]
    assert rig.table.items["k1"]["range"] == {"N": "10"}
    status, _, _ = await client.ask("POST", "/metadata/import", data=b"\xff", headers=csv)
    assert status == 422


async def test_an_import_says_what_the_table_refused(rig: Rig, client: Client) -> None:
    """Each row that failed is named."""
    rig.table.fault = NotStorable("it is too large")
    csv = {"Content-Type": "text/csv"}
    _, done, _ = await client.ask("POST", "/metadata/import", data="metakey\nk9\n", headers=csv)
    assert done["failed"] == [{"where": "k9", "detail": "it is too large"}]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "the first columns must be metakey"),
        ("other\n", "the first columns must be metakey"),
        ("metakey,a,a\n", "a column is there twice"),
        ("metakey,metakey:N\n", "the key is no attribute"),
        ("metakey,a\nk,x\nk,y\n", "this key is there twice"),
        ("metakey,a,a:N\nk,x,1\n", "two kinds of value"),
        ("metakey,a:SS\nk,x\n", "a set has at least one member"),
        ("metakey,a:BOOL\nk,maybe\n", "neither true nor false"),
        ("metakey,a\n,x\n", "a text has 1 to"),
        ('metakey,a\nk,"x\n', "unexpected end of data"),
        ("metakey\n" + "".join(f"k{n}\n" for n in range(MOST_ROWS + 1)), "at most"),
    ],
)
def test_mistakes_in_a_file(text: str, detail: str) -> None:
    """Each is named with its line."""
    _, problems = read_csv(text, KEYS)
    assert any(detail in each.detail for each in problems), problems


def test_a_file_of_mistakes_is_not_read_to_its_end() -> None:
    """A hundred are enough."""
    _, problems = read_csv("metakey,a:N\n" + "k,x\n" * 500, KEYS)
    assert len(problems) == 100


VALUES = st.one_of(
    st.builds(lambda t: {"S": t}, st.text(min_size=1, max_size=9)),
    st.builds(lambda n: {"N": str(n)}, st.integers(-(10**20), 10**20)),
    st.builds(lambda b: {"BOOL": b}, st.booleans()),
    st.builds(
        lambda s: {"SS": sorted(s)},
        st.sets(st.text(min_size=1, max_size=5), min_size=1, max_size=3),
    ),
)


@given(
    st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=5),
    st.text(min_size=1, max_size=9),
    st.text(min_size=1, max_size=9),
)
def test_csv_keeps_everything(attributes: dict[str, dict[str, Any]], key: str, sort: str) -> None:
    """Whatever may be stored comes back from a file as it was."""
    probe = {**attributes, "a": {"S": key}, "b": {"S": sort}}
    if "a" in attributes or "b" in attributes or checked(probe, {}, BOTH):
        return
    item = {"site": {"S": key}, "unit": {"S": sort}, **attributes}
    text = "".join(write_csv([item], BOTH))
    assert read_csv(text, BOTH) == ([item], [])


@given(st.dictionaries(st.text(max_size=9), st.one_of(VALUES, st.integers()), max_size=3))
def test_whatever_is_sent_is_judged(attributes: dict[str, object]) -> None:
    """No text or value makes the check itself fail."""
    assert isinstance(checked(attributes, {}, KEYS), list)


def test_an_etag_names_the_content() -> None:
    """The order of attributes and of members of sets is no content; the kind is."""
    one: Item = {"k": {"S": "1"}, "s": {"SS": ["a", "b"]}, "l": {"L": [{"S": "x"}]}}
    same: Item = {"l": {"L": [{"S": "x"}]}, "s": {"SS": ["b", "a"]}, "k": {"S": "1"}}
    assert etag_of(one) == etag_of(same)
    assert etag_of(one) != etag_of({**one, "k": {"N": "1"}})


async def test_composite_keys(rig: Rig) -> None:
    """Both parts name a record."""
    rig.table = MemoryRecords(key_attribute="site", sort_attribute="unit")
    rig.facts["keys"] = BOTH
    async with rig.running() as client:
        where = {"key": "s", "sort_key": "u"}
        status, body, _ = await client.ask(
            "PUT", "/metadata/record", params=where, json={"attributes": {}}, headers=NEW
        )
        assert (status, body["record"]["sort_key"]) == (201, "u")
        status, _, _ = await client.ask("GET", "/metadata/record", params={"key": "s"})
        assert status == 422
        page = await client.get("/metadata")
    assert [(each["key"], each["sort_key"]) for each in page["items"]] == [("s", "u")]


async def test_a_hundred_thousand_records(rig: Rig) -> None:
    """One scan serves every page and search; the last page is as near as the first."""
    count = 100_000
    rig.table = MemoryRecords(
        {"metakey": {"S": f"k{n:06}"}, "maker": {"S": f"m{n % 7}"}} for n in range(count)
    )
    async with rig.running() as client:
        status, page, _ = await client.ask("GET", "/metadata", params={"limit": "200"})
        while status == 503:  # it is being read for the first time
            status, page, _ = await client.ask("GET", "/metadata", params={"limit": "200"})
        following = await client.get("/metadata", limit=200, cursor=page["next"])
        last = await client.get("/metadata", limit=200, cursor=f"k{count - 201:06}")
        one = await client.get("/metadata", q="K054321")
        some = await client.get("/metadata", where="maker=m3", limit=1)
        facets = await client.get("/attributes")
    assert page["total"] == count
    assert following["items"][0]["key"] == "k000200"
    assert (last["items"][-1]["key"], last["next"]) == (f"k{count - 1:06}", None)
    assert [each["key"] for each in one["items"]] == ["k054321"]
    assert some["total"] == len(range(3, count, 7))
    assert facets["attributes"][0]["distinct"] == 7
    assert rig.table.scans == 1

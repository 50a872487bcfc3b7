"""Devices: list, search, paging, one of them, downloads."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.console import Client, Rig

from ingestor.adapters.memory import MemoryRecords
from ingestor.ports import Unavailable

NAME = "<script>alert(1)</script>"


@pytest.fixture
def rig() -> Rig:
    """Three devices: two that share a record, one of them silent, and one without a record."""
    rig = Rig(
        table=MemoryRecords(
            [
                {"metakey": {"S": "k1"}, "maker": {"S": "Acme"}, "L": {"L": []}},
                {"metakey": {"S": "k2"}, "maker": {"S": "Other"}},
            ]
        )
    )
    rig.reading("a", "k1", value=1.5, n="2i", text='"x"', ok="true")
    rig.reading("b", "k1", ago=3000)
    rig.reading(NAME)
    return rig


@pytest_asyncio.fixture
async def client(rig: Rig) -> AsyncIterator[Client]:
    """A client of it."""
    async with rig.running() as client:
        yield client


async def test_all_devices_with_what_was_stored_last(client: Client) -> None:
    """By id, with record, last values, and whether they report."""
    page = await client.get("/devices")
    assert [each["id"] for each in page["items"]] == [NAME, "a", "b"]
    assert page["total"] == 3
    assert page["next"] is None
    first, second, third = page["items"]
    assert (first["key"], first["attributes"], first["reporting"]) == (None, {}, True)
    assert second["attributes"] == {"metakey": "k1", "maker": "Acme"}
    [latest] = second["latest"]
    assert latest["fields"] == {"value": 1.5, "n": 2, "text": "x", "ok": True}
    assert {each["field"] for each in second["sparks"]} == {"value", "n"}
    assert (third["key"], third["reporting"]) == ("k1", False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ACME"}, ["a", "b"]),
        ({"q": "script"}, [NAME]),
        ({"where": "maker=Acme"}, ["a", "b"]),
        ({"where": "maker=Nobody"}, []),
        ({"where": "maker=' OR 1=1"}, []),
        ({"state": "silent"}, ["b"]),
        ({"state": "reporting", "q": "k1"}, ["a"]),
    ],
)
async def test_search(client: Client, query: dict[str, str], found: list[str]) -> None:
    """Text in any value, an attribute's exact value, and who reports."""
    page = await client.get("/devices", **query)
    assert [each["id"] for each in page["items"]] == found


async def test_pages(client: Client) -> None:
    """The cursor leads through all of them once."""
    seen: list[str] = []
    query: dict[str, str] = {"limit": "1"}
    for _ in range(3):
        page = await client.get("/devices", **query)
        seen += [each["id"] for each in page["items"]]
        query["cursor"] = page["next"] or ""
    assert seen == [NAME, "a", "b"]
    assert query["cursor"] == ""


async def test_one_device(client: Client) -> None:
    """Its record with the ETag, its fields, and the reading as it is stored."""
    detail = await client.get("/device", id="a")
    assert detail["record"]["attributes"] == {"maker": {"S": "Acme"}}
    assert detail["record"]["others"] == ["L"]
    assert {(each["field"], each["type"]) for each in detail["fields"]} == {
        ("value", "float"),
        ("n", "integer"),
        ("text", "string"),
        ("ok", "boolean"),
    }
    [line] = detail["last_lines"]
    assert line.startswith('pressure,sensorID=a,metakey=k1 n=2i,ok=true,text="x",value=1.5 ')
    assert detail["last_payload"] is None
    _, _, headers = await client.ask("GET", "/metadata/record", params={"key": "k1"})
    assert headers["ETag"] == detail["etag"]
    alone = await client.get("/device", id=NAME)
    assert (alone["key"], alone["record"]) == (None, None)
    status, problem, _ = await client.ask("GET", "/device", params={"id": "nobody"})
    assert (status, problem["status"]) == (404, 404)


async def test_series_and_download(client: Client) -> None:
    """Numeric fields in even steps; every reading as CSV."""
    series = await client.get("/device/series", id="a", measurement="pressure", points=60)
    assert set(series["fields"]) == {"value", "n"}
    assert len(series["times"]) == len(series["fields"]["value"]["mean"])
    assert [each for each in series["fields"]["value"]["max"] if each is not None] == [1.5]
    status, text, headers = await client.ask(
        "GET", "/device/series.csv", params={"id": "a", "measurement": "pressure"}
    )
    assert status == 200
    assert "attachment" in headers["Content-Disposition"]
    header, row = csv.reader(io.StringIO(text))
    assert header == ["time", "n", "ok", "text", "value"]
    assert row[1:] == ["2", "True", "x", "1.5"]
    nothing = await client.get("/device/series", id="a", measurement="not there")
    assert nothing["fields"] == {}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/devices", {"limit": "0"}),
        ("/devices", {"limit": "x"}),
        ("/devices", {"where": "no sign of equality"}),
        ("/devices", {"state": "odd"}),
        ("/device", {}),
        ("/device/series", {"id": "a", "measurement": "m", "from_ms": "5", "to_ms": "5"}),
        ("/device/series", {"id": "a", "measurement": "m\0"}),
        ("/device/series", {"id": "a", "measurement": "m", "points": "5000"}),
    ],
)
async def test_what_cannot_be_asked(client: Client, path: str, query: dict[str, str]) -> None:
    """422 with the place."""
    status, problem, headers = await client.ask("GET", path, params=query)
    assert status == 422
    assert headers["Content-Type"].startswith("application/problem+json")
    assert problem["errors"][0]["where"]


async def test_without_the_table_devices_are_listed_without_records(rig: Rig) -> None:
    """What can be told is told, with a remark; a search by attributes cannot."""
    rig.table.fault = Unavailable("DynamoDB is down.")
    async with rig.running() as client:
        page = await client.get("/devices")
        status, problem, headers = await client.ask(
            "GET", "/devices", params={"where": "maker=Acme"}
        )
    assert [each["attributes"] for each in page["items"]] == [{}, {}, {}]
    assert page["problems"] == ["DynamoDB is down."]
    assert (status, problem["detail"]) == (503, "DynamoDB is down.")
    assert headers["Retry-After"] == "2"


async def test_without_influxdb_nothing_is_known(rig: Rig) -> None:
    """503 with the reason."""
    rig.series.fault = Unavailable("InfluxDB is down.")
    async with rig.running() as client:
        status, problem, _ = await client.ask("GET", "/devices")
    assert (status, problem["detail"]) == (503, "InfluxDB is down.")

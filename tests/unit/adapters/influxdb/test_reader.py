"""Reading from a server that is no InfluxDB, or one that does not let us."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from ingestor.adapters.influxdb.reader import InfluxDbReader, basic, open_reader, token
from ingestor.adapters.memory import FakeClock
from ingestor.ports import Unavailable

FIELDS = (
    '{"results":[{"statement_id":0,"series":[{"name":"m","columns":["fieldKey","fieldType"],'
    '"values":[["v","float"]]}]}]}\n'
)


class Server:
    """Answers each query with the next of some texts, the last for ever."""

    def __init__(self, *texts: str, status: int = 200) -> None:
        self.texts = list(texts)
        self.status = status
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        """One query."""
        form = await request.post()
        self.asked.append({**request.query, **{name: str(form[name]) for name in form}})
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        return web.Response(text=text, status=self.status)


@asynccontextmanager
async def reading(server: Server, clock: FakeClock | None = None) -> AsyncIterator[InfluxDbReader]:
    """A reader of it."""
    app = web.Application()
    app.add_routes([web.post("/query", server.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    opened = open_reader(
        url=f"http://127.0.0.1:{runner.addresses[0][1]}/",
        database="db",
        retention_policy="rp",
        authorization=token("s3cret"),
        own=frozenset({"own"}),
        clock=clock or FakeClock(),
    )
    try:
        async with opened as reader:
            yield reader
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("server", "word"),
    [
        (Server("", status=401), "INGESTOR_CONSOLE_INFLUXDB_TOKEN"),
        (Server("", status=403), "INGESTOR_CONSOLE_INFLUXDB_TOKEN"),
        (Server("s3cret", status=500), "status 500"),
        (Server("", status=302), "status 302"),
        (Server("<html>s3cret"), "cannot be asked"),
        (Server('{"error":"s3cret"}'), "cannot answer a query"),
        (Server('{"results":[{"statement_id":0,"error":"s3cret"}]}'), "cannot answer a query"),
        (Server('{"results":[{"series":[{"name":"m"}]}]}'), "cannot be asked"),
    ],
)
async def test_what_is_no_answer(server: Server, word: str) -> None:
    """`Unavailable`, in our own words: its could quote names that devices made."""
    async with reading(server) as reader:
        with pytest.raises(Unavailable, match=word) as told:
            await reader.fields()
    assert "s3cret" not in str(told.value)
    assert "s3cret" not in repr(reader)


async def test_names_are_asked_for_now_and_then() -> None:
    """Once for many queries, again when they are old; database and policy are named each time."""
    clock = FakeClock()
    server = Server(FIELDS)
    async with reading(server, clock) as reader:
        for _ in range(3):
            assert await reader.fields() == {"m": {"v": "float"}}
        await clock.advance(60)
        await reader.fields()
    assert len(server.asked) == 2
    assert (server.asked[0]["db"], server.asked[0]["rp"], server.asked[0]["q"]) == (
        "db",
        "rp",
        "SHOW FIELD KEYS",
    )


async def test_a_series_in_parts_is_put_together() -> None:
    """InfluxDB cuts long series into several lines; empty lines between them are nothing."""
    part = (
        '{{"results":[{{"statement_id":0,"series":[{{"name":"m","columns":["time","v"],'
        '"values":[[{time},{value}]],"partial":true}}]}}]}}\n'
    )
    server = Server(FIELDS, part.format(time=1, value=5) + "\n" + part.format(time=2, value=6))
    async with reading(server) as reader:
        points = await reader.points(
            measurement="m", where=[{"k": "'"}], begin_ns=0, end_ns=9, limit=9
        )
    assert [(each.time_ns, each.fields) for each in points] == [(1, {"v": 5.0}), (2, {"v": 6.0})]
    assert server.asked[1]["params"] == '{"v0":"\'"}'
    assert "'" not in server.asked[1]["q"]


async def test_nobody_there() -> None:
    """An address where nobody listens."""
    opened = open_reader(
        url="http://127.0.0.1:9",
        database="db",
        retention_policy=None,
        authorization=basic(None, None),
        own=frozenset(),
        clock=FakeClock(),
    )
    async with opened as reader:
        with pytest.raises(Unavailable, match="cannot be asked: ClientConnectorError"):
            await reader.fields()

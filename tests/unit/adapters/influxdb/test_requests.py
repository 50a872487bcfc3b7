"""What the InfluxDB adapter sends, to whom, and what it keeps to itself; both APIs."""

import asyncio
import base64
import gzip
import json
import logging
import threading

import pytest
from isal import igzip
from support.canned import CUT, CannedServer, reply
from support.influxdb import SECRET, Api

from ingestor.adapters.influxdb import InfluxDbSink, open_influxdb_v1
from ingestor.ports import Refused, Unavailable

LINE = b"m,t=a v=1 1"


async def test_asks_at_the_right_address(
    api: Api, sink: InfluxDbSink, server: CannedServer
) -> None:
    """Path, names, precision and credentials are those of the API; no cookie is kept."""
    server.replies += [reply(204, Set_Cookie="a=b")]
    await sink.write([LINE])
    await sink.write([LINE])

    for request in server.requests:
        assert "cookie" not in request.headers
        assert request.headers["content-type"].startswith("text/plain")
        if api.version == "v1":
            pair = base64.b64encode(f"me:{SECRET}".encode()).decode()
            assert request.path == "/write"
            assert request.query == {"db": "db & co", "precision": "ns"}
            assert request.headers["authorization"] == f"Basic {pair}"
        else:
            assert request.path == "/api/v2/write"
            assert request.query == {"org": "factory", "bucket": "db/rp", "precision": "ns"}
            assert request.headers["authorization"] == f"Token {SECRET}"


@pytest.mark.parametrize("suffix", ["/influx", "/influx/"])
async def test_the_address_may_have_a_path(api: Api, server: CannedServer, suffix: str) -> None:
    """As behind a proxy that serves several things."""
    async with api.open(server.url + suffix) as sink:
        await sink.write([LINE])

    assert server.requests[0].path in {"/influx/write", "/influx/api/v2/write"}


async def test_nobody_may_be_named(server: CannedServer) -> None:
    """For an InfluxDB 1.x without authentication."""
    async with open_influxdb_v1(
        url=server.url,
        database="db",
        username=None,
        password=None,
        timeout_seconds=30,
        connections=1,
    ) as sink:
        await sink.write([LINE])

    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("count", "compressed"),
    [(1, False), (20, False), (100, True), (50_000, True)],
    ids=["one", "below", "above", "large"],
)
async def test_a_body_is_all_lines_and_compressed_when_it_pays(
    sink: InfluxDbSink, server: CannedServer, count: int, *, compressed: bool
) -> None:
    """From a kilobyte on; what arrives is the same either way."""
    lines = [LINE + b"%d" % i for i in range(count)]
    await sink.write(lines)
    (request,) = server.requests

    assert request.body == b"\n".join(lines)
    assert (request.headers.get("content-encoding") == "gzip") is compressed
    assert (len(request.raw_body) < len(request.body) / 2) is compressed


async def test_nothing_is_compressed_on_the_thread_of_the_event_loop(
    sink: InfluxDbSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small: once is enough to make everything there slower for good."""
    threads = []

    def compress(body: bytes, *_: object, **__: object) -> bytes:
        threads.append(threading.current_thread())
        return gzip.compress(body)

    monkeypatch.setattr(igzip, "compress", compress)
    for count in (100, 50_000):
        await sink.write([LINE] * count)

    assert len(threads) == 2
    assert threading.current_thread() not in threads


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_follows_no_redirection(
    sink: InfluxDbSink, server: CannedServer, status: int
) -> None:
    """The credentials would go to whoever is named there."""
    async with CannedServer() as elsewhere:
        server.replies += [reply(status, "", Location=f"{elsewhere.url}/write")]
        with pytest.raises(Unavailable, match="redirection"):
            await sink.write([LINE])

        assert elsewhere.requests == []


async def test_nobody_listens(api: Api, server: CannedServer) -> None:
    """The reason says where nobody was found."""
    url = server.url
    await server.__aexit__()
    async with api.open(url) as sink:
        with pytest.raises(Unavailable, match=f"InfluxDB at {url} cannot be reached"):
            await sink.write([LINE])


async def test_a_nul_is_refused_unsent(sink: InfluxDbSink, server: CannedServer) -> None:
    """InfluxDB's refusal of it could not be read."""
    with pytest.raises(Refused, match=r"U\+0000"):
        await sink.write([LINE, b"m,t=a\0b v=1 1"])

    assert server.requests == []


async def test_connections_are_kept_and_bounded(api: Api, server: CannedServer) -> None:
    """More writes than connections wait for one another."""
    server.gate.clear()
    async with api.open(server.url, connections=2) as sink, asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(sink.write([LINE]), name="test-writer")
        await server.received(2)
        server.gate.set()

    assert len(server.requests) == 6
    assert server.most_at_once == server.connections == 2


async def test_secrets_stay_inside(
    api: Api, server: CannedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither texts nor logs hold them, whatever the server repeats; nor do logs hold lines."""
    caplog.set_level(logging.DEBUG)
    pair = base64.b64encode(f"me:{SECRET}".encode()).decode()
    echo = json.dumps({"error": f"unable to parse {SECRET} {pair}"})
    server.replies += [reply(401, echo), reply(400, echo), CUT]
    texts = []
    async with api.open(server.url) as sink:
        texts.append(repr(sink))
        for _ in range(3):
            with pytest.raises((Unavailable, Refused)) as raised:
                await sink.write([b"m,t=payl0ad v=1 1"])
            texts.append(f"{raised.value} {raised.value!r}")

    texts.append(caplog.text)
    assert SECRET not in "".join(texts)
    assert "payl0ad" not in caplog.text
    assert texts[0] == f"<InfluxDbSink {server.url}>"
    if api.version == "v1":
        assert pair not in "".join(texts)


async def test_leaves_no_thread_behind(api: Api, server: CannedServer) -> None:
    """The one that compresses ends with the sink."""
    async with api.open(server.url) as sink:
        await sink.write([LINE] * 50_000)
        running = [each for each in threading.enumerate() if "influxdb-gzip" in each.name]
        assert len(running) == 1

    assert not running[0].is_alive()

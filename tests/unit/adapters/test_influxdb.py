"""The InfluxDB adapter against a server that misbehaves in every way; both APIs."""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest
from support.canned import CUT, HANG, CannedServer, reply

from ingestor.adapters.influxdb import InfluxDbSink, open_influxdb_v1, open_influxdb_v2
from ingestor.ports import Refused, Unavailable

LINE = b"m,t=a v=1 1"
SECRET = "very-s3cret"
PARSE_ERROR = '{"error":"unable to parse \'m v=\': missing field value"}'
UNKNOWN_ERROR = '{"code":"invalid","message":"not in the mood"}'


@dataclass(slots=True, frozen=True)
class Api:
    """One of the APIs, ready to be opened."""

    version: str

    def open(
        self, url: str, *, timeout_seconds: float = 30.0, connections: int = 4
    ) -> AbstractAsyncContextManager[InfluxDbSink]:
        """A sink for the server at `url`."""
        if self.version == "v2":
            return open_influxdb_v2(
                url=url,
                org="factory",
                bucket="db/rp",
                token=SECRET,
                timeout_seconds=timeout_seconds,
                connections=connections,
            )
        return open_influxdb_v1(
            url=url,
            database="db & co",
            username="me",
            password=SECRET,
            timeout_seconds=timeout_seconds,
            connections=connections,
        )


@pytest.fixture(params=["v1", "v2"])
def api(request: pytest.FixtureRequest) -> Api:
    """Each API in turn."""
    return Api(request.param)


@pytest.fixture
async def server() -> AsyncIterator[CannedServer]:
    """Answers 204 unless told otherwise."""
    async with CannedServer() as canned:
        yield canned


@pytest.fixture
async def sink(api: Api, server: CannedServer) -> AsyncIterator[InfluxDbSink]:
    """The adapter, writing to the server."""
    async with api.open(server.url) as opened:
        yield opened


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
    ids=["one", "below", "above", "in-a-thread"],
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


@pytest.mark.parametrize("status", [400, 422])
async def test_refused_lines(sink: InfluxDbSink, server: CannedServer, status: int) -> None:
    """The text of InfluxDB goes along."""
    server.replies += [reply(status, PARSE_ERROR)]
    with pytest.raises(Refused) as refused:
        await sink.write([LINE])

    assert refused.value.detail == "unable to parse 'm v=': missing field value"
    assert not refused.value.too_large
    assert len(server.requests) == 1


async def test_refused_for_its_size(sink: InfluxDbSink, server: CannedServer) -> None:
    """From whomever it comes."""
    server.replies += [reply(413, "<html>nginx</html>")]
    with pytest.raises(Refused) as refused:
        await sink.write([LINE])

    assert refused.value.too_large


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, ""),
        (202, ""),
        (400, '{"error":"database is required"}'),
        (400, "<html>Bad Request</html>"),
        (401, '{"error":"authorization failed"}'),
        (403, '{"code":"forbidden","message":"forbidden"}'),
        (404, '{"code":"not found","message":"bucket \\"x\\" not found"}'),
        (404, "404 page not found"),
        (408, ""),
        (429, '{"code":"too many requests","message":"slow down"}'),
        (500, '{"error":"retention policy not found: nope"}'),
        (502, "<html>"),
        (503, ""),
    ],
)
async def test_everything_else_is_for_later(
    sink: InfluxDbSink, server: CannedServer, status: int, body: str
) -> None:
    """A write and a ping both say so, with the status, and the next write is free to succeed."""
    server.replies += [reply(status, body)] * 2
    for asked in (sink.write([LINE]), sink.ping()):
        with pytest.raises(Unavailable, match=f"InfluxDB answered {status}") as unavailable:
            await asked

        assert unavailable.value.retry_after_seconds is None
    await sink.write([LINE])

    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "seconds"), [("7", 7), ("Tue, 24 Nov 2026 14:00:30 GMT", 30), ("soon", None)]
)
async def test_hands_on_how_long_to_wait(
    sink: InfluxDbSink, server: CannedServer, status: int, asked: str, seconds: float | None
) -> None:
    """In seconds, or as a date beside the reply's own."""
    date = "Tue, 24 Nov 2026 14:00:00 GMT"
    server.replies += [reply(status, "", Retry_After=asked, Date=date)]
    with pytest.raises(Unavailable) as unavailable:
        await sink.write([LINE])

    assert unavailable.value.retry_after_seconds == seconds


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


async def test_an_unknown_refusal_is_the_lines_fault_if_another_body_is_taken(
    sink: InfluxDbSink, server: CannedServer
) -> None:
    """The other body is a comment, sent to the same address."""
    server.replies += [reply(400, UNKNOWN_ERROR), reply(204)]
    with pytest.raises(Refused, match="not in the mood"):
        await sink.write([LINE])
    first, second = server.requests

    assert second.body.startswith(b"#")
    assert b"\n" not in second.body
    assert second.target == first.target


@pytest.mark.parametrize("second", [reply(400, UNKNOWN_ERROR), reply(404), reply(503), CUT])
async def test_an_unknown_refusal_is_for_later_if_no_body_is_taken(
    sink: InfluxDbSink, server: CannedServer, second: bytes
) -> None:
    """Then it is the address, or the server: no line is to blame."""
    server.replies += [reply(400, UNKNOWN_ERROR), second]
    with pytest.raises(Unavailable):
        await sink.write([LINE])

    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        reply(400, "incoming write was empty"),
        reply(400, UNKNOWN_ERROR.replace("not in the mood", "writing requires points")),
    ],
    ids=["3", "2.0"],
)
async def test_ping_takes_a_complaint_about_missing_lines_for_an_answer(
    sink: InfluxDbSink, server: CannedServer, answer: bytes
) -> None:
    """InfluxDB 3 complains where others answer 204."""
    server.replies += [answer]
    await sink.ping()


async def test_ping_takes_no_other_complaint(sink: InfluxDbSink, server: CannedServer) -> None:
    """Not even one about lines, for it has none."""
    for complaint in (PARSE_ERROR, UNKNOWN_ERROR, '{"error":"EOF"}'):
        server.replies += [reply(400, complaint)]
        with pytest.raises(Unavailable, match="InfluxDB"):
            await sink.ping()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(CUT, id="no-reply"),
        pytest.param(b"HTTP/1.1 20" + CUT, id="half-a-status-line"),
        pytest.param(reply(204)[:-2] + CUT, id="half-a-head"),
        pytest.param(reply(400, PARSE_ERROR)[:-7] + CUT, id="half-a-body"),
        pytest.param(b"\x16\x03\x01\x02garbage\r\n\r\n" + CUT, id="garbage"),
        pytest.param(b"HTTP/1.1 2044 What\r\n\r\n", id="bad-status"),
        pytest.param(b"HTTP/1.1 400 Bad\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", id="bad-header"),
        pytest.param(reply(400, b"no gzip", Content_Encoding="gzip"), id="bad-encoding"),
    ],
)
async def test_a_reply_that_cannot_be_read_is_for_later(
    sink: InfluxDbSink, server: CannedServer, broken: bytes
) -> None:
    """Stored or not: it is written again."""
    server.replies += [broken]
    with pytest.raises(Unavailable, match="gave no answer that can be read"):
        await sink.write([LINE])
    await sink.write([LINE])

    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "hanging",
    [HANG, b"HTTP/1.1 20" + HANG, reply(400, PARSE_ERROR)[:-7] + HANG],
    ids=["at-once", "in-the-head", "in-the-body"],
)
async def test_a_server_that_hangs_is_for_later(
    api: Api, server: CannedServer, hanging: bytes
) -> None:
    """A write takes no longer than it may, wherever in its reply the server stops."""
    server.replies += [hanging]
    async with api.open(server.url, timeout_seconds=1.0) as sink:
        with pytest.raises(Unavailable, match="did not answer within 1 s"):
            await sink.write([LINE])
        await sink.write([LINE])


async def test_nobody_listens(api: Api, server: CannedServer) -> None:
    """The reason says where nobody was found."""
    url = server.url
    await server.__aexit__()
    async with api.open(url) as sink:
        with pytest.raises(Unavailable, match=f"InfluxDB at {url} cannot be reached"):
            await sink.write([LINE])


async def test_reads_no_more_of_a_reply_than_it_needs(
    sink: InfluxDbSink, server: CannedServer
) -> None:
    """Twenty megabytes of quotation are cut off; the refusal is understood."""
    server.replies += [reply(400, '{"error":"unable to parse \'' + "x" * 20_000_000)]
    with pytest.raises(Refused, match="unable to parse"):
        await sink.write([LINE])
    await sink.write([LINE])

    assert server.connections == 2


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

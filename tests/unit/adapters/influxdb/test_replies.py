"""The InfluxDB adapter against a server that misbehaves in every way; both APIs."""

import pytest
from support.canned import CUT, HANG, CannedServer, reply
from support.influxdb import Api

from ingestor.adapters.influxdb import InfluxDbSink
from ingestor.ports import Refused, Unavailable

LINE = b"m,t=a v=1 1"
PARSE_ERROR = '{"error":"unable to parse \'m v=\': missing field value"}'
UNKNOWN_ERROR = '{"code":"invalid","message":"not in the mood"}'


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


async def test_reads_no_more_of_a_reply_than_it_needs(
    sink: InfluxDbSink, server: CannedServer
) -> None:
    """Twenty megabytes of quotation are cut off; the refusal is understood."""
    server.replies += [reply(400, '{"error":"unable to parse \'' + "x" * 20_000_000)]
    with pytest.raises(Refused, match="unable to parse"):
        await sink.write([LINE])
    await sink.write([LINE])

    assert server.connections == 2

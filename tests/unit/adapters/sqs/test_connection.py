"""One connection: what it takes for a reply, and what it does not."""

import asyncio
from typing import Any

import pytest

from ingestor.adapters.sqs.lean import connection as module
from ingestor.adapters.sqs.lean.connection import Connection, ConnectionLost, Reply, UnreadableReply
from ingestor.adapters.sqs.lean.plain import plain_body

REPLY = b"HTTP/1.1 200 OK\r\nDate: now\r\ndate: later\r\nContent-Length: 2\r\n\r\n{}"


class FakeTransport:
    """Notes what is written, and whether it was ended."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        """Take it."""
        self.written.append(data)

    def abort(self) -> None:
        """End."""
        self.aborted = True

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return self.aborted


class Line:
    """A connection over a fake transport, with one request under way."""

    def __init__(self) -> None:
        self.lost: list[Connection] = []
        self.transport = FakeTransport()
        self.connection = Connection(asyncio.get_running_loop(), self.lost.append)
        made: Any = self.transport
        self.connection.connection_made(made)
        self.reply = self.connection.ask(b"request", 10.0)


@pytest.fixture
async def line() -> Line:
    """A request under way."""
    return Line()


async def failure(line: Line) -> BaseException | None:
    """Why there was no reply."""
    return line.reply.exception()


@pytest.mark.parametrize("size", [1, 2, 7, len(REPLY)])
async def test_a_reply_comes_in_pieces(line: Line, size: int) -> None:
    """However the network cuts it."""
    for start in range(0, len(REPLY), size):
        line.connection.data_received(REPLY[start : start + size])
    reply = await line.reply
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.header("date") == "later"
    assert reply.header("x-other") == ""
    assert line.transport.written == [b"request"]
    assert line.connection.usable


LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000


@pytest.mark.parametrize("size", [100, 1000, 5000])
async def test_a_long_body_comes_in_pieces(line: Line, size: int) -> None:
    """Its head comes with the first of them, as from a network."""
    for start in range(0, len(LONG), size):
        assert not line.reply.done()
        line.connection.data_received(LONG[start : start + size])
    assert (await line.reply).body == b"x" * 5000
    assert line.connection.usable
    _ = line.connection.ask(b"another", 10.0)
    assert line.transport.written == [b"request", b"another"]


@pytest.mark.parametrize("surplus", [b"!", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_more_than_was_announced_ends_a_connection(line: Line, surplus: bytes) -> None:
    """The reply is good; what follows could be taken for the next one."""
    line.connection.data_received(LONG[:100])
    line.connection.data_received(LONG[100:] + surplus)
    assert (await line.reply).body == b"x" * 5000
    assert not line.connection.usable
    assert line.transport.aborted


async def test_a_body_that_ends_early_is_a_lost_connection(line: Line) -> None:
    """Half of it is nothing."""
    line.connection.data_received(LONG[:100])
    line.connection.connection_lost(None)
    assert isinstance(await failure(line), ConnectionLost)


ODD_HEADS = [
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \rContent-Length: 3\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
]


@pytest.mark.parametrize("head", ODD_HEADS)
def test_other_heads_are_left_to_the_parser(head: bytes) -> None:
    """Only what can be read in one way is read the short way."""
    assert plain_body(head) is None


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n",
        b"HTTP/1.1 200 \r\nCONTENT-LENGTH:  2 \r\nConnection: Keep-Alive\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 2\r\nX: Content-Length\r\n\r\n",
    ],
)
def test_usual_heads_need_no_parser(head: bytes) -> None:
    """In whatever case and order."""
    assert plain_body(head + b"{}") == (len(head), 2)


@pytest.mark.parametrize("size", [1, 5, 1000])
async def test_chunks_are_joined(line: Line, size: int) -> None:
    """A body without a length comes in chunks."""
    raw = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nTrailer: t\r\n\r\n"
    )
    for start in range(0, len(raw), size):
        line.connection.data_received(raw[start : start + size])
    assert (await line.reply).body == b"abcd"
    assert line.connection.usable


async def test_an_announcement_is_no_reply(line: Line) -> None:
    """100 Continue comes before the reply proper."""
    line.connection.data_received(b"HTTP/1.1 100 Continue\r\n\r\n" + REPLY)
    assert (await line.reply).status == 200
    assert line.connection.usable


async def test_a_server_that_closes_says_so(line: Line) -> None:
    """The reply counts, the connection is not used again."""
    line.connection.data_received(REPLY.replace(b"Date: now", b"Connection: close"))
    assert (await line.reply).body == b"{}"
    assert not line.connection.usable


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>oh no</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_no_reply_ends_the_connection(line: Line, raw: bytes) -> None:
    """Nothing that could be taken for a reply later is left."""
    line.connection.data_received(raw)
    assert isinstance(await failure(line), UnreadableReply)
    assert line.transport.aborted


async def test_a_reply_without_end_is_cut_off(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is longer than any of SQS is refused while it comes."""
    monkeypatch.setattr(module, "MOST_BODY_BYTES", 10)
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxxxx")
    assert not line.transport.aborted
    line.connection.data_received(b"x" * 6)
    assert isinstance(await failure(line), UnreadableReply)
    assert line.transport.aborted


async def test_headers_without_end_are_cut_off(line: Line) -> None:
    """So are headers."""
    line.connection.data_received(b"HTTP/1.1 200 OK\r\n")
    for _ in range(70):
        line.connection.data_received(b"X-Long: " + b"x" * 1000 + b"\r\n")
    assert isinstance(await failure(line), UnreadableReply)
    assert line.transport.aborted


@pytest.mark.parametrize("more", [REPLY, b"HTTP/1.1 200", b"garbage"])
async def test_more_than_one_reply_ends_the_connection(line: Line, more: bytes) -> None:
    """What follows a reply would be taken for the next one; the reply itself counts."""
    line.connection.data_received(REPLY + more)
    assert (await line.reply).body == b"{}"
    assert line.transport.aborted


async def test_unasked_words_end_the_connection(line: Line) -> None:
    """A server that talks while nothing is asked of it."""
    line.connection.data_received(REPLY)
    line.connection.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert line.transport.aborted
    assert not line.connection.usable


@pytest.mark.parametrize("before", [b"", REPLY[:20], REPLY[:-1]])
async def test_half_a_reply_is_none(line: Line, before: bytes) -> None:
    """A connection that ends before the last byte has brought nothing."""
    line.connection.data_received(before)
    line.connection.connection_lost(ConnectionResetError())
    assert isinstance(await failure(line), ConnectionLost)
    assert line.lost == [line.connection]


async def test_nothing_is_asked_over_a_closed_connection(line: Line) -> None:
    """It fails at once instead of waiting for its deadline."""
    line.connection.data_received(REPLY)
    line.transport.aborted = True
    with pytest.raises(ConnectionLost):
        await line.connection.ask(b"request", 10.0)
    assert line.transport.written == [b"request"]


async def test_an_ended_connection_keeps_its_first_reason(line: Line) -> None:
    """The end that we made is not reported as the other side's."""
    line.connection.abort(TimeoutError())
    line.connection.connection_lost(None)
    assert isinstance(await failure(line), TimeoutError)


async def test_what_was_cancelled_stays_so(line: Line) -> None:
    """A reply that nobody waits for any more is dropped with its connection."""
    line.reply.cancel()
    line.connection.data_received(REPLY)
    assert line.transport.aborted


def test_headers_are_found_in_any_case() -> None:
    """As HTTP has it."""
    assert Reply(503, b"", [(b"Retry-AFTER", b"7")]).header("retry-after") == "7"
    assert Reply(200, b"", head=b"HTTP/1.1 200 OK\r\nDATE:  now \r\n\r\n").header("date") == "now"

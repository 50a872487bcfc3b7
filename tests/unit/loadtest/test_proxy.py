"""What the proxy does to an exchange: every fault, shown on both of its sides."""

import asyncio
import json
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import pytest_asyncio
from support.canned import CannedServer, reply

from loadtest.proxy import (
    ANY,
    CountsAsStored,
    Drip,
    Duplicates,
    FailedEntries,
    FakeSuccess,
    Fault,
    FaultProxy,
    HalfReply,
    Hang,
    Latency,
    NothingReceived,
    Reply,
    Request,
    Reset,
    Status,
    UnprocessedKeys,
    Unreadable,
    aws_operation,
    influxdb_operation,
)
from loadtest.proxy.http import read_reply
from loadtest.proxy.server import SPARED

MESSAGES = {"Messages": [{"MessageId": "a"}, {"MessageId": "b"}]}
GOOD = reply(200, json.dumps(MESSAGES), content_type="application/x-amz-json-1.0")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


class Place:
    """A server, the proxy before it, and a client."""

    def __init__(self) -> None:
        self.server = CannedServer()
        self.told: list[tuple[str, int]] = []
        self.proxy = FaultProxy(lambda: self.server.url, aws_operation, self.tell)

    def tell(self, request: Request, answer: Reply) -> None:
        """Note an exchange that came to a good end."""
        self.told.append((aws_operation(request), answer.status))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the proxy."""
        host, _, port = self.proxy.url.removeprefix("http://").rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def ask(self, operation: str = "ReceiveMessage", content: object = None) -> Reply:
        """The reply to a call over a connection of its own."""
        reader, writer = await self.connect()
        try:
            writer.write(call(operation, content))
            return await read_reply(reader)
        finally:
            writer.close()

    async def answers(self, operation: str, content: object) -> Any:
        """The content of a reply."""
        answer = await self.ask(operation, content)
        assert answer.status == 200
        return json.loads(answer.body)

    @property
    def asked(self) -> list[Any]:
        """What the server was asked."""
        return [json.loads(each.raw_body) for each in self.server.requests]


def call(operation: str, content: object = None) -> bytes:
    """A call of AWS's JSON protocol."""
    headers = {"x-amz-target": f"AmazonSQS.{operation}"}
    return Request("POST", "/", headers, json.dumps(content or {}).encode()).encode()


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    """Everything up, no fault armed."""
    place = Place()
    async with place.server, place.proxy:
        place.server.replies.extend([GOOD] * 20)
        yield place


async def test_without_faults_everything_passes(place: Place) -> None:
    """Requests and replies come through as they were, over one connection too."""
    reader, writer = await place.connect()
    for content in ({"n": 1}, {"n": 2}):
        writer.write(call("ReceiveMessage", content))
        answer = await read_reply(reader)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert json.loads(answer.body) == MESSAGES
    writer.close()

    assert place.asked == [{"n": 1}, {"n": 2}]
    assert place.server.connections == 1
    assert place.server.requests[0].headers["x-amz-target"] == "AmazonSQS.ReceiveMessage"
    assert place.told == [("ReceiveMessage", 200)] * 2
    assert place.proxy.requests == 2


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (reply(204), 204, b""),
        (CHUNKED, 200, b"abc"),
        (reply(599, "odd"), 599, b"odd"),
    ],
    ids=["no content", "chunks", "unknown status"],
)
async def test_other_forms_of_replies_pass(
    place: Place, raw: bytes, status: int, body: bytes
) -> None:
    """Replies without a body, in chunks or of a strange status come through."""
    place.server.replies.appendleft(raw)

    answer = await place.ask()

    assert (answer.status, answer.body) == (status, body)


async def test_latency(place: Place) -> None:
    """The right reply comes, not before the time is over."""
    place.proxy.arm(Latency(0.05))
    started = asyncio.get_running_loop().time()

    answer = await place.ask()

    assert asyncio.get_running_loop().time() - started >= 0.05
    assert json.loads(answer.body) == MESSAGES
    assert place.told == [("ReceiveMessage", 200)]


async def test_status(place: Place) -> None:
    """An error comes with its Retry-After, and the server is not asked."""
    place.proxy.arm(Status(429, "seconds", retry_after="7", body=b"slow down"))
    place.proxy.arm(Status(503, "date", date_in_seconds=60))

    seconds = await place.ask()
    await asyncio.gather(*(place.ask() for _ in range(SPARED)))
    date = await place.ask()

    assert (seconds.status, seconds.headers["retry-after"], seconds.body) == (
        429,
        "7",
        b"slow down",
    )
    wait = parsedate_to_datetime(date.headers["retry-after"]) - parsedate_to_datetime(
        date.headers["date"]
    )
    assert (date.status, wait.total_seconds()) == (503, 60)
    assert len(place.asked) == SPARED
    assert place.proxy.applied == {"seconds": 1, "date": 1}


@pytest.mark.parametrize("applied", [False, True])
async def test_reset(place: Place, *, applied: bool) -> None:
    """The connection is reset; only the one that was applied has reached the server."""
    place.proxy.arm(Reset(applied=applied))

    with pytest.raises(ConnectionResetError):
        await place.ask()

    assert len(place.asked) == applied
    assert place.told == []
    assert place.proxy.under_way == 0


async def test_half_reply(place: Place) -> None:
    """Half of the bytes of a reply come, of a request that the server has worked on."""
    whole = (await place.ask()).encode()
    place.proxy.arm(HalfReply())
    reader, writer = await place.connect()
    writer.write(call("ReceiveMessage"))

    half = await reader.readexactly(len(whole) // 2)

    assert whole.startswith(half)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert len(place.asked) == 2
    assert len(place.told) == 1


async def test_drip(place: Place) -> None:
    """The whole reply comes, in parts with a pause between."""
    place.proxy.arm(Drip(0.01, parts=4))
    started = asyncio.get_running_loop().time()

    answer = await place.ask()

    assert asyncio.get_running_loop().time() - started >= 0.03
    assert json.loads(answer.body) == MESSAGES


@pytest.mark.parametrize("applied", [False, True])
async def test_hang(place: Place, *, applied: bool) -> None:
    """Nothing comes for as long as the client waits; only the one applied reaches the server."""
    place.proxy.arm(Hang(applied=applied))
    reader, writer = await place.connect()
    writer.write(call("ReceiveMessage"))
    if applied:
        await place.server.received(1)
    async with asyncio.timeout(10):
        while not place.proxy.under_way:  # noqa: ASYNC110 - the proxy sets no event
            await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)

    writer.close()
    async with asyncio.timeout(10):
        while place.proxy.under_way:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert len(place.asked) == applied
    assert place.told == []


async def test_unreadable(place: Place) -> None:
    """A page of HTML with status 200, without asking the server."""
    place.proxy.arm(Unreadable())

    answer = await place.ask()

    assert answer.status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(answer.body)
    assert place.asked == []


ENTRIES = {"QueueUrl": "q", "Entries": [{"Id": str(n)} for n in range(7)]}


async def test_failed_entries(place: Place) -> None:
    """Every third entry is kept from the server and reported as failed; the rest is done."""
    done = {"Successful": [{"Id": "1"}], "Failed": [{"Id": "2", "Code": "Own"}]}
    place.server.replies.appendleft(reply(200, json.dumps(done)))
    place.proxy.arm(FailedEntries(), "DeleteMessageBatch")

    answer = await place.answers("DeleteMessageBatch", ENTRIES)

    assert [each["Id"] for each in place.asked[0]["Entries"]] == ["1", "2", "4", "5"]
    assert place.asked[0]["QueueUrl"] == "q"
    assert answer["Successful"] == [{"Id": "1"}]
    assert [each["Id"] for each in answer["Failed"]] == ["2", "0", "3", "6"]
    assert answer["Failed"][-1] == {"Id": "6", "Code": "InternalError", "SenderFault": False}


async def test_all_entries_failed(place: Place) -> None:
    """Where no entry is left the server is not asked, and its errors pass unchanged."""
    place.proxy.arm(FailedEntries(each=1), "DeleteMessageBatch")
    answer = await place.answers("DeleteMessageBatch", ENTRIES)
    assert len(answer["Failed"]) == 7
    assert place.asked == []

    place.proxy.disarm()
    place.proxy.arm(FailedEntries(), "SendMessageBatch")
    place.server.replies.appendleft(reply(500, "broken"))
    broken = await place.ask("SendMessageBatch", ENTRIES)
    assert (broken.status, broken.body) == (500, b"broken")


async def test_fake_success(place: Place) -> None:
    """Every entry is said to be done, and nothing is."""
    place.proxy.arm(FakeSuccess())

    answer = await place.answers("DeleteMessageBatch", ENTRIES)

    assert answer == {"Successful": ENTRIES["Entries"]}
    assert place.asked == []


async def test_duplicates(place: Place) -> None:
    """Every message of an answer is in it twice; none remains none."""
    place.proxy.arm(Duplicates(), times=2)

    answer = await place.answers("ReceiveMessage", {})
    place.server.replies.appendleft(reply(200, "{}"))
    empty = await place.answers("ReceiveMessage", {})

    assert [each["MessageId"] for each in answer["Messages"]] == ["a", "a", "b", "b"]
    assert empty == {"Messages": []}


async def test_nothing_received(place: Place) -> None:
    """An empty answer, at once, without asking the server."""
    place.proxy.arm(NothingReceived())

    assert await place.answers("ReceiveMessage", {}) == {}
    assert place.asked == []


async def test_unprocessed_keys(place: Place) -> None:
    """Every third key is kept from the table and returned, or all keys are."""
    keys = [{"k": {"S": str(n)}} for n in range(4)]
    content = {"RequestItems": {"t": {"Keys": keys, "ConsistentRead": True}}}
    found = {"Responses": {"t": [{"k": {"S": "1"}}]}}
    place.server.replies.appendleft(reply(200, json.dumps(found)))
    place.proxy.arm(UnprocessedKeys())
    answer = await place.answers("BatchGetItem", content)

    assert place.asked[0]["RequestItems"]["t"]["Keys"] == keys[1:3]
    assert answer["Responses"] == found["Responses"]
    left = {"t": {"Keys": [keys[0], keys[3]], "ConsistentRead": True}}
    assert answer["UnprocessedKeys"] == left

    place.proxy.disarm()
    place.proxy.arm(UnprocessedKeys(each=1))
    asked = len(place.asked)
    answer = await place.answers("BatchGetItem", content)
    assert answer == {"Responses": {}, "UnprocessedKeys": content["RequestItems"]}
    assert len(place.asked) == asked


@pytest.mark.parametrize("status", [200, 202])
async def test_counts_as_stored(place: Place, status: int) -> None:
    """A success other than 204, of a write that InfluxDB has not seen."""
    place.proxy.arm(CountsAsStored(status))

    answer = await place.ask("write")

    assert (answer.status, answer.body) == (status, b"thank you")
    assert place.asked == []


async def test_faults_come_in_turn_for_their_operation(place: Place) -> None:
    """A fault befalls the next calls of its operation, or any; then some calls are spared."""
    proxy = place.proxy
    proxy.arm(Status(500, "first"), "DeleteMessageBatch", times=2)
    proxy.arm(Status(503, "second"), "DeleteMessageBatch")
    proxy.arm(Status(429, "any"), ANY)
    assert proxy.armed == 4

    async def statuses(operation: str, count: int) -> list[int]:
        return [(await place.ask(operation)).status for _ in range(count)]

    assert await statuses("ReceiveMessage", 2) == [429, 200]
    assert await statuses("DeleteMessageBatch", 6) == [500, 500, 200, 200, 503, 200]
    assert proxy.armed == 0
    assert proxy.applied == {"first": 2, "second": 1, "any": 1}


async def test_paused_and_disarmed(place: Place) -> None:
    """While it is paused no fault happens; what was disarmed never does."""
    place.proxy.arm(Status(500, "error"), times=2)
    place.proxy.paused = True
    assert (await place.ask()).status == 200

    place.proxy.paused = False
    assert (await place.ask()).status == 500

    place.proxy.disarm()
    assert (await place.ask()).status == 200
    assert place.proxy.armed == 0


async def test_disarmed_after_the_last(place: Place) -> None:
    """What is armed after that befalls the very next call: none is spared any more."""
    place.proxy.arm(Status(500, "error"))
    assert (await place.ask()).status == 500

    place.proxy.disarm()
    place.proxy.arm(Status(503, "other"))
    assert (await place.ask()).status == 503


async def test_down(place: Place) -> None:
    """While it is down everybody is reset, who was connected before too."""
    reader, _ = await place.connect()
    place.proxy.down = True
    with pytest.raises(ConnectionResetError):
        await reader.read()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await place.ask()

    place.proxy.down = False
    assert (await place.ask()).status == 200


async def test_a_client_that_has_gone_was_told_nothing(place: Place) -> None:
    """A reply to a client that was killed meanwhile is not among what was told."""
    place.server.gate.clear()
    _, writer = await place.connect()
    writer.write(call("ReceiveMessage"))
    await place.server.received(1)
    place.proxy.cut()
    place.server.gate.set()

    assert (await place.ask()).status == 200
    assert len(place.told) == 1
    writer.close()


async def test_a_server_that_is_away(place: Place) -> None:
    """Without a server the client's connection breaks; with one again it works."""
    await place.server.__aexit__()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await place.ask()

    await place.server.__aenter__()
    assert (await place.ask()).status == 200


@pytest.mark.parametrize(
    ("target", "name"),
    [("/write?db=a", "write"), ("/api/v2/write?org=o", "write"), ("/query?q=x/y", "query")],
)
def test_operations_of_influxdb(target: str, name: str) -> None:
    """Both APIs write; what else is asked goes by the end of its path."""
    assert influxdb_operation(Request("POST", target, {}, b"")) == name


def test_every_fault_has_a_name_and_is_a_value() -> None:
    """Faults that are equal look equal, which the fingerprint of a schedule rests on."""
    made: list[tuple[Fault, Fault]] = [
        (Hang(applied=True), Hang(applied=True)),
        (Drip(0.1), Drip(0.1)),
        (Status(503, "x"), Status(503, "x")),
    ]
    for one, other in made:
        assert repr(one) == repr(other)
        assert one == other
    assert Hang(applied=True).name != Hang(applied=False).name

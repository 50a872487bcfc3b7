"""The stand-in for AWS IoT Core: its packets, its rules, when it acknowledges."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest

from loadtest.iot.broker import MOST_UNACKNOWLEDGED, Broker, Connection, Outlet
from loadtest.iot.rules import Rule, RuleError, error_body
from loadtest.mqtt import packets
from loadtest.mqtt.packets import Connect, Disconnect, Packets, Ping, ProtocolError, Publish

CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab"
PUBLISH = b"\x32\x09\x00\x03a/b\x00\x07{}"
ALL = "SELECT *, topic() AS topic, timestamp() AS received_at FROM 'fleet/+/data'"
PACKED = "SELECT encode(*, 'base64') AS data, topic() AS topic FROM 'fleet/packed/#'"


def test_packets_come_however_the_bytes_are_cut() -> None:
    """Every cut of the stream gives the same packets."""
    stream = CONNECT + PUBLISH + b"\xc0\x00" + b"\x30\x05\x00\x01ahi" + b"\xe0\x00"
    expected = [Connect("ab", 60), Publish("a/b", b"{}", 7), Ping(), Publish("a", b"hi", 0)]
    for size in range(1, len(stream) + 1):
        reader = Packets()
        cut = [stream[n : n + size] for n in range(0, len(stream), size)]
        assert [each for data in cut for each in reader.feed(data)] == [*expected, Disconnect()]


def test_a_long_packet() -> None:
    """A length of several bytes is read as such."""
    payload = b"x" * 1_000
    (packet,) = Packets().feed(b"\x30\xeb\x07\x00\x01a" + payload)

    assert packet == Publish("a", payload, 0)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x02ab", "not MQTT 3.1.1"),
        (b"\x34\x05\x00\x01a\x00\x01", "QoS 2"),
        (b"\x32\x05\x00\x01a\x00\x00", "without a number"),
        (b"\x82\x00", "kind 8"),
        (b"\x30\x03\x00\x09a", "cut off"),
        (b"\x30\x03\x00\x01\xff", "UTF-8"),
        (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x30\xff\xff\x7f", "a packet of"),
    ],
)
def test_what_is_no_packet_is_refused(stream: bytes, why: str) -> None:
    """Each with what is wrong with it."""
    with pytest.raises(ProtocolError, match=why):
        list(Packets().feed(stream))


def test_a_rule_that_adds_to_an_object() -> None:
    """Members stay as they were written, numbers too; those of the rule are added."""
    rule = Rule(ALL)

    body = rule.body("fleet/1/data", b'{"p": 10.0, "s": {"x": [1e3]}, "topic": "mine"}', 5)

    assert body == '{"p":10.0,"s":{"x": [1e3]},"topic":"fleet/1/data","received_at":5}'


def test_a_rule_for_any_bytes() -> None:
    """What is no JSON comes through as base64."""
    assert json.loads(Rule(PACKED).body("fleet/packed/1", b"\xff\x00", 5)) == {
        "data": base64.b64encode(b"\xff\x00").decode(),
        "topic": "fleet/packed/1",
    }


@pytest.mark.parametrize("payload", [b"", b"[1]", b"\xff", b'{"a": 1', b"7"])
def test_what_is_no_object_goes_to_the_error_action(payload: bytes) -> None:
    """With the payload as it was."""
    with pytest.raises(RuleError, match="no JSON object") as caught:
        Rule(ALL).body("fleet/1/data", payload, 5)
    body = json.loads(error_body("fleet/1/data", payload, str(caught.value)))

    assert base64.b64decode(body["base64OriginalPayload"]) == payload
    assert "no JSON object" in body["failures"][0]["errorMessage"]


@pytest.mark.parametrize(
    ("topic_filter", "topic", "takes"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+/c", "a/x/c", True),
        ("a/+/c", "a/x/y/c", False),
        ("a/+", "a/", True),
        ("a/#", "a/x/y", True),
        ("a/#", "a", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("a.b", "axb", False),
    ],
)
def test_topic_filters(topic_filter: str, topic: str, *, takes: bool) -> None:
    """As the standard has them."""
    assert Rule(f"SELECT * FROM '{topic_filter}'").takes(topic) is takes  # noqa: S608 - IoT SQL


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM a", "SELECT temperature FROM 'a'", "SELECT * FROM 'a' WHERE b > 1", ""]
)
def test_sql_that_it_does_not_know_is_refused(sql: str) -> None:
    """Better no run than one by another rule than AWS would follow."""
    with pytest.raises(RuleError, match="not understood"):
        Rule(sql)


class Sink:
    """Takes messages when it is told to, as a Sender does."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.refuse = 0

    async def send(self, bodies: Sequence[str]) -> list[int]:
        """See Sender."""
        await self.open.wait()
        missed = list(range(min(self.refuse, len(bodies))))
        self.refuse -= len(missed)
        self.bodies += [body for n, body in enumerate(bodies) if n not in missed]
        return missed


class Bench:
    """A broker on a port, with its queues."""

    def __init__(self) -> None:
        self.sink, self.errors = Sink(), Sink()
        self.port = 0
        self.connections: list[Connection] = []
        self.writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def running(self, *rules: str) -> AsyncIterator[None]:
        """Within the block it takes connections."""
        sink, errors = Outlet(self.sink), Outlet(self.errors)  # type: ignore[arg-type] # as a Sender
        statements = [Rule(sql) for sql in rules or (ALL,)]
        broker = Broker(statements, sink, errors, sweep_seconds=0.05)

        def connect() -> Connection:
            self.connections.append(Connection(broker))
            return self.connections[-1]

        server = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            task = group.create_task(broker.run())
            try:
                yield
            finally:
                task.cancel()
                for writer in self.writers:
                    writer.close()
                for connection in self.connections:
                    connection.close()
                server.close()

    def client(self, name: str = "device-1", **options: Any) -> aiomqtt.Client:
        """A publisher."""
        return aiomqtt.Client("127.0.0.1", self.port, identifier=name, **options)

    async def raw(
        self, connect: bytes = CONNECT
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A publisher that speaks bytes, and is connected."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(connect)
        assert await reader.readexactly(4) == packets.connack()
        return reader, writer


async def test_a_message_is_acknowledged_once_the_queue_has_it() -> None:
    """Not before, and the queue is asked again until it takes everything."""
    bench = Bench()
    async with bench.running(), bench.client() as client:
        bench.sink.open.clear()
        bench.sink.refuse = 1
        publish = asyncio.create_task(client.publish("fleet/1/data", b'{"n":1}', qos=1))
        await client.publish("fleet/1/data", b'{"n":0}', qos=0)
        await asyncio.sleep(0.05)
        assert not publish.done()

        bench.sink.open.set()
        await publish
        assert '{"n":1' in "".join(bench.sink.bodies)


async def test_two_rules_one_acknowledgement() -> None:
    """Every rule gets its copy, and the publisher hears once; with no rule he hears at once."""
    bench = Bench()
    async with bench.running(ALL, "SELECT * FROM '#'"):
        reader, writer = await bench.raw()
        writer.write(b"\x32\x12\x00\x0cfleet/1/data\x00\x07{}")
        assert await reader.readexactly(4) == packets.puback(7)
        assert len(bench.sink.bodies) == 2
        writer.write(b"\xc0\x00")
        assert await reader.readexactly(2) == packets.PINGRESP


async def test_what_no_rule_takes_is_gone() -> None:
    """As with AWS IoT: it is acknowledged, and nobody has it."""
    bench = Bench()
    async with bench.running(), bench.client() as client:
        await client.publish("other", b"{}", qos=1)
    assert bench.sink.bodies == bench.errors.bodies == []


async def test_what_a_rule_cannot_read_goes_to_the_other_queue() -> None:
    """It is acknowledged like any other."""
    bench = Bench()
    async with bench.running(), bench.client() as client:
        await client.publish("fleet/1/data", b"[]", qos=1)
    assert bench.sink.bodies == []
    assert len(bench.errors.bodies) == 1


async def test_a_client_that_comes_again_ends_its_older_connection() -> None:
    """A client has one connection."""
    bench = Bench()
    async with bench.running():
        reader, _ = await bench.raw()
        await bench.raw()
        assert await reader.read() == b""


@pytest.mark.parametrize("stream", [PUBLISH, CONNECT + CONNECT, b"\x82\x00"])
async def test_who_breaks_the_protocol_is_disconnected(stream: bytes) -> None:
    """Nothing of what he sent comes through."""
    bench = Bench()
    async with bench.running():
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
        bench.writers.append(writer)
        writer.write(stream)
        assert await reader.read() in (b"", packets.connack())
    assert bench.sink.bodies == []


async def test_who_is_silent_for_too_long_is_disconnected() -> None:
    """After one and a half times the time that he named himself."""
    bench = Bench()
    async with bench.running():
        reader, _ = await bench.raw(CONNECT.replace(b"\x00\x3c", b"\x00\x01"))
        assert await reader.read() == b""


async def test_only_so_many_are_under_way_on_a_connection() -> None:
    """A queue that stands still stops the reading, so that memory stays bounded."""
    bench = Bench()
    async with bench.running():
        bench.sink.open.clear()
        reader, writer = await bench.raw()
        message = b"\x32\x12\x00\x0cfleet/1/data%b{}"
        count = 3 * MOST_UNACKNOWLEDGED
        for n in range(1, count + 1):
            writer.write(message % n.to_bytes(2))
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        # What one read brings is taken; the reads after it wait.
        assert bench.connections[0].held < count
        bench.sink.open.set()
        acknowledged = {await reader.readexactly(4) for _ in range(count)}
    assert len(acknowledged) == count == len(bench.sink.bodies)

"""A publisher's connection: what it says, what it waits for, when it gives up."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from loadtest.mqtt import packets
from loadtest.mqtt.line import KEEP_ALIVE_SECONDS, Line, LineError

Answer = Callable[[packets.Packet], bytes | None]
"""What the broker says to a packet; None breaks the connection."""


def agree(packet: packets.Packet) -> bytes:
    """A broker that takes everything."""
    match packet:
        case packets.Connect():
            return packets.connack()
        case packets.Publish(_, _, number):
            return packets.puback(number)
        case packets.Ping():
            return packets.PINGRESP
    return b""


class Broker:
    """Answers as it is told, and remembers what it heard."""

    def __init__(self, answer: Answer = agree) -> None:
        self.heard: list[packets.Packet] = []
        self.answer = answer
        self.port = 0
        self.connections = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within the block it can be reached."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            async with asyncio.timeout(30):
                yield

    async def line(self, *, patience_seconds: float = 20.0) -> Line:
        """A connection to it."""
        return await Line.open(
            "127.0.0.1", self.port, "device-1", tls=None, patience_seconds=patience_seconds
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = packets.Packets()
        self.connections += 1
        try:
            while data := await reader.read(65_536):
                for packet in stream.feed(data):
                    self.heard.append(packet)
                    said = self.answer(packet)
                    if said is None:
                        return
                    writer.write(said)
        except ConnectionError:
            pass
        finally:
            self.connections -= 1
            writer.close()


@pytest.mark.parametrize("length", [0, 100, 127, 128, 20_000])
async def test_messages_come_as_they_were_published(length: int) -> None:
    """Each is done when it was acknowledged, and at the end there is a goodbye."""
    broker = Broker()
    async with broker.running():
        line = await broker.line()
        await asyncio.gather(*(line.publish(f"t/{n}", b"x" * length) for n in range(3)))
        line.close()
        while len(broker.heard) < 5:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)

    first, *messages, last = broker.heard
    assert first == packets.Connect("device-1", KEEP_ALIVE_SECONDS)
    assert messages == [packets.Publish(f"t/{n}", b"x" * length, n + 1) for n in range(3)]
    assert last == packets.Disconnect()


async def test_a_connection_that_breaks_ends_what_waits() -> None:
    """A message that was not acknowledged is not done, nor is one that comes later."""
    broker = Broker(lambda each: None if isinstance(each, packets.Publish) else agree(each))
    async with broker.running():
        line = await broker.line()
        with pytest.raises(LineError, match="lost"):
            await line.publish("t", b"")
        with pytest.raises(LineError, match="lost"):
            await line.publish("t", b"")
        line.close()  # it does no harm
        line.abort()


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: b"\x20\x02\x00\x05",  # not authorized
        lambda _: None,
        lambda _: b"\xff\xff\xff\xff\xff",
        lambda _: b"\x32\x05\x00\x01t\x00\x01",
    ],
)
async def test_a_broker_that_does_not_agree(answer: Answer) -> None:
    """Whatever it says instead of yes, there is no connection."""
    broker = Broker(answer)
    async with broker.running():
        with pytest.raises(LineError):
            await broker.line()


async def test_a_broker_that_does_not_answer() -> None:
    """Neither does connecting wait for ever."""
    broker = Broker(lambda _: b"")
    async with broker.running():
        with pytest.raises(LineError, match="no connection"):
            await broker.line(patience_seconds=0.05)
    with pytest.raises(LineError, match="no connection"):
        await broker.line()


async def test_a_message_that_is_not_acknowledged_in_time_breaks_the_line() -> None:
    """So that it is published again over another one."""
    broker = Broker(lambda each: b"" if isinstance(each, packets.Publish) else agree(each))
    async with broker.running():
        line = await broker.line(patience_seconds=10)
        message = line.publish("t", b"")
        line.sweep(time.monotonic() + 5)
        assert not message.done()
        line.sweep(time.monotonic() + 11)
        with pytest.raises(LineError, match="lost"):
            await message


async def test_a_quiet_line_is_kept_alive_as_long_as_the_broker_answers() -> None:
    """A sign of life at half of the time that was promised; no answer to it breaks the line."""
    broker = Broker()
    async with broker.running():
        line = await broker.line(patience_seconds=10)
        line.sweep(time.monotonic() + 20)
        assert packets.Ping() not in broker.heard
        for _ in range(2):
            line.sweep(time.monotonic() + 31)
            line.sweep(time.monotonic() + 32)  # one is enough
            await line.publish("t", b"")  # its answer comes after that to the ping
        assert broker.heard.count(packets.Ping()) == 2

        broker.answer = lambda _: b""
        line.sweep(time.monotonic() + 31)
        line.sweep(time.monotonic() + 42)
        while broker.connections:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)


async def test_numbers_begin_anew() -> None:
    """There are 65,535 of them."""
    broker = Broker()
    async with broker.running():
        line = await broker.line()
        for _ in range(70):
            await asyncio.gather(*(line.publish("t", b"") for _ in range(1_000)))
        line.close()

    numbers = [each.number for each in broker.heard if isinstance(each, packets.Publish)]
    assert max(numbers) == 65_535
    assert numbers[65_535:65_537] == [1, 2]

"""MQTT 3.1.1 as far as publishers and a broker need it: bytes to packets, and packets to bytes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

PINGREQ, PINGRESP, DISCONNECT = b"\xc0\x00", b"\xd0\x00", b"\xe0\x00"
MOST_BYTES = 128 * 1024
"""Of one packet, as with AWS IoT Core."""

_MQTT_3_1_1 = b"\x00\x04MQTT\x04"
_CONTINUES = 0x80
_MOST_LENGTH_BYTES = 4
_MOST_QOS = 1


class ProtocolError(Exception):
    """What has come is no packet that may come."""


@dataclass(slots=True, frozen=True)
class Connect:
    """A client opens its connection; it says something every `keep_alive_seconds`, 0 is never."""

    client: str
    keep_alive_seconds: int


@dataclass(slots=True, frozen=True)
class Publish:
    """A message; `number` is to be acknowledged, 0 where nothing is (QoS 0)."""

    topic: str
    payload: bytes
    number: int


@dataclass(slots=True, frozen=True)
class Ping:
    """A client is still there."""


@dataclass(slots=True, frozen=True)
class Disconnect:
    """A client ends its connection."""


@dataclass(slots=True, frozen=True)
class Connack:
    """The answer to Connect; 0 is yes."""

    code: int


@dataclass(slots=True, frozen=True)
class Puback:
    """The message of this number has been taken over."""

    number: int


@dataclass(slots=True, frozen=True)
class Pong:
    """The broker is still there."""


Packet = Connect | Publish | Ping | Disconnect | Connack | Puback | Pong


def connect(client: str, keep_alive_seconds: int) -> bytes:
    """A client asks to be connected, with a fresh session."""
    return _packed(0x10, _MQTT_3_1_1 + b"\x02" + keep_alive_seconds.to_bytes(2) + _long(client))


def publish(topic: str, payload: bytes, number: int) -> bytes:
    """A message that is to be acknowledged."""
    return _packed(0x32, _long(topic) + number.to_bytes(2) + payload)


def connack(*, session_present: bool = False) -> bytes:
    """The connection is accepted."""
    return b"\x20\x02%c\x00" % session_present


def puback(number: int) -> bytes:
    """A message has been taken over."""
    return b"\x40\x02" + number.to_bytes(2)


class Packets:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are complete now; ProtocolError when they are none."""
        buffer = self._buffer + data if self._buffer else data
        at = 0
        while (cut := _cut(buffer, at)) is not None:
            first, start, at = buffer[at], *cut
            yield _parse(first, buffer[start:at])
        self._buffer = buffer[at:]


def _cut(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at this place begins and ends; None when it is incomplete."""
    length = 0
    for n in range(_MOST_LENGTH_BYTES):
        if at + 1 + n >= len(buffer):
            return None
        byte = buffer[at + 1 + n]
        length |= (byte & 0x7F) << 7 * n
        if byte < _CONTINUES:
            start = at + 2 + n
            if length > MOST_BYTES:
                raise ProtocolError(f"a packet of {length} bytes")
            return (start, start + length) if start + length <= len(buffer) else None
    raise ProtocolError("a length of more than four bytes")


def _parse(first: int, body: bytes) -> Packet:
    kind = first >> 4
    parse = _PARSERS.get(kind)
    if parse is None:
        raise ProtocolError(f"a packet of kind {kind}")
    return parse(first, body)


def _parse_connect(_: int, body: bytes) -> Connect:
    if not body.startswith(_MQTT_3_1_1):
        raise ProtocolError("not MQTT 3.1.1")
    client, _ = _text(body, 10)
    return Connect(client, int.from_bytes(body[8:10]))


def _parse_publish(first: int, body: bytes) -> Publish:
    qos = first >> 1 & 3
    if qos > _MOST_QOS:
        raise ProtocolError("QoS 2")
    topic, end = _text(body, 0)
    if not qos:
        return Publish(topic, body[end:], 0)
    number = int.from_bytes(body[end : end + 2])
    if not number:
        raise ProtocolError("a message without a number")
    return Publish(topic, body[end + 2 :], number)


_PARSERS: Mapping[int, Callable[[int, bytes], Packet]] = {
    1: _parse_connect,
    2: lambda _, body: Connack(int.from_bytes(body[1:2])),
    3: _parse_publish,
    4: lambda _, body: Puback(int.from_bytes(body[:2])),
    12: lambda _, body: Ping(),  # noqa: ARG005 - each takes the same
    13: lambda _, body: Pong(),  # noqa: ARG005 - as above
    14: lambda _, body: Disconnect(),  # noqa: ARG005 - as above
}


def _packed(first: int, body: bytes) -> bytes:
    """A packet with its length."""
    length = len(body)
    head = bytearray((first,))
    while length >= _CONTINUES:
        head.append(length & 0x7F | _CONTINUES)
        length >>= 7
    head.append(length)
    return bytes(head) + body


def _long(text: str) -> bytes:
    """A text with its length before it."""
    encoded = text.encode()
    return len(encoded).to_bytes(2) + encoded


def _text(body: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends."""
    end = at + 2 + int.from_bytes(body[at : at + 2])
    if len(body) < end:
        raise ProtocolError("a text that is cut off")
    try:
        return body[at + 2 : end].decode(), end
    except UnicodeDecodeError as exc:
        raise ProtocolError("a text that is not UTF-8") from exc

"""As much of an MQTT 3.1.1 broker as a publisher needs; it can be told to break connections."""

import asyncio
from dataclasses import dataclass, field

_CONNECT, _PUBLISH, _PING, _DISCONNECT = 1, 3, 12, 14


@dataclass
class Listener:
    """What was published, in order, and by whom. Every `break_each`-th message breaks its line.

    Such a message is taken and not acknowledged, which is what a lost acknowledgement looks like.
    """

    break_each: int = 0
    published: list[tuple[str, str, bytes]] = field(default_factory=list)
    connects: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        client = ""
        try:
            while True:
                kind, body = await _packet(reader)
                if kind == _CONNECT:
                    client = body[12 : 12 + int.from_bytes(body[10:12])].decode()
                    self.connects.append(client)
                    writer.write(b"\x20\x02\x00\x00")
                elif kind == _PUBLISH:
                    length = int.from_bytes(body[:2])
                    topic = body[2 : 2 + length].decode()
                    self.published.append((client, topic, body[4 + length :]))
                    if self.break_each and len(self.published) % self.break_each == 0:
                        break
                    writer.write(b"\x40\x02" + body[2 + length : 4 + length])
                elif kind == _PING:
                    writer.write(b"\xd0\x00")
                elif kind == _DISCONNECT:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return first >> 4, await reader.readexactly(length)

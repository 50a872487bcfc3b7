"""What was done to a payload on its way, undone: base64, hexadecimal, compression."""

import binascii
import zlib
from collections.abc import Callable

from ingestor.core.message import Reason, Rejected, Stage

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n"
_WINDOWS = {"gzip": 31, "zlib": 15, "deflate": -15}
"""zlib's names for the formats: bits of the window, and how it is wrapped."""

Unpack = Callable[[bytes, int], bytes]


def unpack(payload: bytes, steps: tuple[str, ...], most_bytes: int) -> bytes:
    """Undo the steps in order. What comes out of each is at most so many bytes.

    Raises:
        Rejected: naming the step that fails.
    """
    for step in steps:
        payload = _UNPACK[step](payload, most_bytes)
    return payload


def _base64(payload: bytes, _: int) -> bytes:
    text = payload.translate(_URL_SAFE, _BLANKS).rstrip(b"=")
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error as exc:
        raise _bad("base64", "it is no base64 text") from exc


def _hexadecimal(payload: bytes, _: int) -> bytes:
    try:
        return binascii.unhexlify(payload.translate(None, _BLANKS))
    except binascii.Error as exc:
        raise _bad("hex", "it is no text of pairs of hexadecimal digits") from exc


def _inflater(step: str) -> Unpack:
    def inflate(payload: bytes, most_bytes: int) -> bytes:
        parts = []
        size = 0
        while payload:
            stream = zlib.decompressobj(_WINDOWS[step])
            try:
                # One byte more than allowed shows that there is more, and costs no memory.
                parts.append(stream.decompress(payload, most_bytes - size + 1))
            except zlib.error as exc:
                raise _bad(step, "it is damaged, or packed in another way") from exc
            size += len(parts[-1])
            if size > most_bytes:
                detail = f"{step}: it unpacks to more than {most_bytes} bytes"
                raise Rejected(Stage.DECODE, Reason.TOO_LARGE, detail)
            if not stream.eof:
                raise _bad(step, "it ends too early")
            payload = stream.unused_data
            if payload and step != "gzip":
                raise _bad(step, "something follows after its end")
        if not parts:
            raise _bad(step, "it is empty")
        return b"".join(parts)

    return inflate


_UNPACK: dict[str, Unpack] = {
    "base64": _base64,
    "hex": _hexadecimal,
    **{step: _inflater(step) for step in _WINDOWS},
}


def _bad(step: str, what: str) -> Rejected:
    return Rejected(Stage.DECODE, Reason.BAD_ENCODING, f"{step}: {what}")

"""CBOR and MessagePack."""

from io import BytesIO
from typing import Any

import cbor2
import msgspec

from ingestor.core.decode.plain import plain, too_deep
from ingestor.core.message import Reason, Rejected, Stage

_DECODER = msgspec.msgpack.Decoder()
_MOST_BYTES_AT_ONCE = 65_536
"""A length that was made up is found out before memory is taken for it."""


def read_cbor(payload: bytes, depth: int) -> Any:
    """The value of one CBOR item, as JSON would have given it.

    Raises:
        Rejected: saying what is wrong.
    """
    stream = BytesIO(payload)
    try:
        item = cbor2.load(stream)
        if stream.tell() != len(payload):
            raise ValueError("something follows after its end")  # noqa: TRY301 - one kind of error
        return plain(item, depth=depth, most_values=len(payload))
    except Rejected:
        raise
    except Exception as exc:
        # The decoder's tags (decimals, patterns, addresses) raise whatever they come upon.
        if isinstance(exc, RecursionError) or "nesting depth" in str(exc):
            raise too_deep(depth) from exc
        raise _not(Reason.NOT_CBOR, "CBOR", exc, ours=type(exc) is ValueError) from exc


def read_messagepack(payload: bytes, depth: int) -> Any:
    """The value of one MessagePack object, as JSON would have given it.

    Raises:
        Rejected: saying what is wrong.
    """
    try:
        return plain(_DECODER.decode(payload), depth=depth, most_values=len(payload))
    except RecursionError as exc:
        raise too_deep(depth) from exc
    except (ValueError, TypeError, OverflowError) as exc:  # msgspec's own are ValueErrors
        ours = type(exc) is ValueError or isinstance(exc, msgspec.MsgspecError)
        raise _not(Reason.NOT_MESSAGEPACK, "MessagePack", exc, ours=ours) from exc


def _not(reason: Reason, name: str, error: Exception, *, ours: bool) -> Rejected:
    # Words of others may repeat a part of the payload.
    what = str(error) if ours else type(error).__name__
    return Rejected(Stage.DECODE, reason, f"the payload is not {name}: {what}")

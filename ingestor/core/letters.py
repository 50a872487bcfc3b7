"""From a dead letter back to the message that it was."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

ENCODING = "gzip+base64"
"""The attribute `encoding` of a body that had to be compressed to fit."""
MOST_BYTES = 16 * 1024 * 1024
"""Largest body after decompression: far above the limit of SQS."""

_decode = msgspec.json.Decoder().decode


class NotRestorable(Exception):
    """The letter is none of ours, or damaged; says why."""


def restore(body: str, attributes: Mapping[str, str], *, sent_at_ms: int) -> str:
    """The body of the message as the rule had sent it, or would have.

    Takes letters of the service, messages that SQS itself moved to the dead-letter queue, and what
    the error action of an IoT rule sends when the queue could not be reached: of that the message
    is made as the rule makes it, with `topic`, and with `sent_at_ms` (when the error was told,
    epoch milliseconds) for the time of the rule.

    Raises:
        NotRestorable: the letter cannot be read.
    """
    encoding = attributes.get("encoding")
    if encoding == ENCODING:
        return _decompressed(body)
    if encoding is not None:
        raise NotRestorable(f"its encoding {encoding[:40]!r} is not known here")
    envelope = _envelope(body)
    return body if envelope is None else _from_rule(envelope, sent_at_ms)


def _decompressed(body: str) -> str:
    try:
        packed = base64.b64decode(body, validate=True)
        unpacking = zlib.decompressobj(wbits=31)
        plain = unpacking.decompress(packed, MOST_BYTES)
        if unpacking.unconsumed_tail or not unpacking.eof:
            raise NotRestorable("its compressed body is too large or cut off")
        return plain.decode()
    except (ValueError, zlib.error) as exc:  # not base64, not gzip, not UTF-8
        raise NotRestorable("its compressed body is damaged") from exc


def _envelope(body: str) -> dict[str, Any] | None:
    """What the error action of a rule sent; None for anything else."""
    try:
        message = _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if isinstance(message, dict) and "base64OriginalPayload" in message and "failures" in message:
        return message
    return None


def _from_rule(envelope: dict[str, Any], sent_at_ms: int) -> str:
    try:
        payload = base64.b64decode(envelope["base64OriginalPayload"], validate=True)
        reading = _decode(payload)
    except (TypeError, ValueError, RecursionError) as exc:  # not base64, not JSON
        raise NotRestorable("the payload in the rule's error is not JSON") from exc
    if not isinstance(reading, dict):
        raise NotRestorable("the payload in the rule's error is not an object")
    topic = envelope.get("topic")
    added = {"topic": topic, "received_at": sent_at_ms} if isinstance(topic, str) else {}
    return msgspec.json.encode(reading | added).decode()

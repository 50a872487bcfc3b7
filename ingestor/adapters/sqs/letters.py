"""Dead letters as entries of SendMessageBatch: what SQS accepts, within its sizes."""

import base64
import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ingestor.core.letters import ENCODING
from ingestor.ports import DeadLetter, Failure

CALL_BYTES = 262_144
"""Most bytes of one call on every queue; a queue with a larger message limit takes more."""
DETAIL_CHARACTERS = 500
TOPIC_CHARACTERS = 256
"""The longest that AWS IoT accepts."""
TOO_LONG = "MessageTooLong"

_REFUSED_CHARACTERS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True, frozen=True)
class Letter:
    """One entry, not yet numbered. `attributes` are name to type and text."""

    message_id: str
    body: str
    attributes: dict[str, tuple[str, str]]
    size_bytes: int


def make_letters(
    letters: Sequence[DeadLetter], most_bytes: int, labels: Mapping[str, str]
) -> tuple[list[Letter], list[Failure]]:
    """The entries to send, and a failure for every letter too large even when compressed.

    `labels` are further attributes of every letter.

    Compressing takes time; it happens only to bodies that would not fit otherwise.
    """
    made: list[Letter] = []
    failures: list[Failure] = []
    for each in letters:
        letter = _letter(each, labels)
        if letter.size_bytes > most_bytes:
            letter = _compressed(letter)
        if letter.size_bytes > most_bytes:
            failures.append(Failure(letter.message_id, TOO_LONG, permanent=True))
        else:
            made.append(letter)
    return made, failures


def split(letters: Sequence[Letter], most_bytes: int) -> list[list[Letter]]:
    """Letters in calls of at most so many bytes each, in order."""
    calls: list[list[Letter]] = []
    size = 0
    for letter in letters:
        if not calls or size + letter.size_bytes > most_bytes:
            calls.append([])
            size = 0
        calls[-1].append(letter)
        size += letter.size_bytes
    return calls


def acceptable(text: str) -> str:
    """The text with what SQS refuses (most control characters, surrogates) replaced by U+FFFD."""
    return _REFUSED_CHARACTERS.sub("\ufffd", text)


def topic_of(body: str) -> str:
    """The topic that the rule put into a message; empty where it cannot be found."""
    try:
        topic = msgspec.json.decode(body, type=_WithTopic).topic
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return ""
    return acceptable(topic)[:TOPIC_CHARACTERS]


class _WithTopic(msgspec.Struct):
    topic: str = ""


def _letter(letter: DeadLetter, labels: Mapping[str, str]) -> Letter:
    message, rejection = letter.message, letter.rejection
    detail = acceptable(rejection.detail)
    if len(detail) > DETAIL_CHARACTERS:
        detail = f"{detail[: DETAIL_CHARACTERS - 1]}…"
    attributes = {
        "stage": ("String", str(rejection.stage)),
        "reason": ("String", str(rejection.reason)),
        "detail": ("String", detail),
        "original_message_id": ("String", message.message_id),
        "original_sent_at_ms": ("Number", str(message.attributes.sent_at_ms)),
        "topic": ("String", topic_of(message.body)),
        **{name: ("String", text) for name, text in labels.items()},
    }
    # SQS refuses an empty attribute.
    return _sized(message.message_id, message.body, {k: v for k, v in attributes.items() if v[1]})


def _compressed(letter: Letter) -> Letter:
    # Without the time of compression, so that the same message is the same letter every time.
    packed = gzip.compress(letter.body.encode(), mtime=0)
    body = base64.b64encode(packed).decode()
    attributes = letter.attributes | {"encoding": ("String", ENCODING)}
    return _sized(letter.message_id, body, attributes)


def _sized(message_id: str, body: str, attributes: dict[str, tuple[str, str]]) -> Letter:
    """A letter with its size as SQS counts it: body, and names, types and texts of attributes."""
    size = len(body.encode()) + sum(
        len(name) + len(kind) + len(text.encode()) for name, (kind, text) in attributes.items()
    )
    return Letter(message_id, body, attributes, size)

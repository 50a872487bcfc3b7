"""What becomes of one sample message: the way that the service takes, without queue and stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingestor.core.encode import Encoder, Part, RouteEncoder, explain
from ingestor.core.message import Attributes, Message, Reason, Rejected, Stage
from ingestor.core.metadata import Metadata
from ingestor.core.opened import Opened
from ingestor.core.process import Parsed, encode


@dataclass(slots=True, frozen=True)
class Sample:
    """A message as the queue would have it, or with `is_payload` as the device published it."""

    name: str
    content: bytes
    topic: str | None
    is_payload: bool


@dataclass(slots=True)
class Outcome:
    """Lines, or why there are none. `parts[i]` explain `lines[i]`."""

    name: str
    route: str | None = None
    lines: list[str] = field(default_factory=list)
    parts: list[list[Part]] = field(default_factory=list)
    rejection: Rejected | None = None
    held_back: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the message would be stored."""
        return bool(self.lines)


def try_out(
    encoder: Encoder, sample: Sample, records: Mapping[str, Metadata], sent_at_ms: int
) -> Outcome:
    """Map one sample; every record that is not in `records` does not exist."""
    outcome = Outcome(sample.name)
    held = Message(sample.name, "", "", Attributes(sent_at_ms))
    try:
        route, opened = _opened(encoder, sample, sent_at_ms)
        outcome.route = route.name
        keys = [route.metadata_key(reading, opened) for reading in opened.readings]
    except Rejected as rejection:
        outcome.rejection = rejection
        return outcome
    found = {key: records.get(key) for key in keys if key is not None}
    encoded = encode([Parsed(held, route, opened, keys)], found)
    outcome.rejection = held.rejection
    if encoded.on_hold:
        outcome.held_back = "there is no metadata record yet"
    if encoded.lines:
        outcome.lines = [line.decode() for line in encoded.lines]
        wanted = [None if key is None else found[key] for key in keys]
        outcome.parts = explain(route, opened, wanted, sent_at_ms=sent_at_ms)
    return outcome


def keys_of(encoder: Encoder, sample: Sample, sent_at_ms: int) -> list[str]:
    """The keys of the metadata records that the readings of a sample name."""
    try:
        route, opened = _opened(encoder, sample, sent_at_ms)
        keys = dict.fromkeys(route.metadata_key(reading, opened) for reading in opened.readings)
    except Rejected:
        return []
    return [key for key in keys if key is not None]


def as_document(outcome: Outcome, *, explained: bool, hint: str | None) -> dict[str, Any]:
    """An outcome for scripts."""
    document: dict[str, Any] = {
        "file": outcome.name,
        "ok": outcome.ok,
        "route": outcome.route,
        "lines": outcome.lines,
    }
    if outcome.rejection is not None:
        document |= {
            "stage": outcome.rejection.stage,
            "reason": outcome.rejection.reason,
            "detail": outcome.rejection.detail,
            "hint": hint,
        }
    if outcome.held_back is not None:
        document |= {"held_back": outcome.held_back, "hint": hint}
    if explained:
        document["parts"] = [[part._asdict() for part in parts] for parts in outcome.parts]
    return document


def _opened(encoder: Encoder, sample: Sample, sent_at_ms: int) -> tuple[RouteEncoder, Opened]:
    if sample.is_payload:
        return encoder.open_payload(sample.content, sample.topic, sent_at_ms=sent_at_ms)
    return encoder.open(_text(sample.content), sent_at_ms=sent_at_ms)


def _text(content: bytes) -> str:
    try:
        return content.decode().removesuffix("\n")
    except UnicodeDecodeError as exc:
        what = "a message of SQS is a text; give --topic when this is what the device published"
        raise Rejected(Stage.DECODE, Reason.BAD_ENCODING, f"it is not UTF-8: {what}") from exc

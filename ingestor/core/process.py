"""From received messages to lines: the same for the service and for Lambda.

Two steps, because the metadata look-up lies between them: `parse` says which records are needed,
`encode` makes lines of what was answered for. Most messages need neither: `encode_at_once` makes
their lines where the records are at hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from ingestor.core.encode import Encoder, RouteEncoder
from ingestor.core.mapping import MissingPolicy
from ingestor.core.message import Message, Reason, Rejected, Stage
from ingestor.core.metadata import Known, Metadata
from ingestor.core.opened import Opened
from ingestor.core.settlement import begin_writing


class Parsed(msgspec.Struct, eq=False):
    """A message that was opened and waits for metadata; `keys[i]` belongs to reading i."""

    held: Message
    route: RouteEncoder
    opened: Opened
    keys: list[str | None]


@dataclass(slots=True, eq=False)
class Encoded:
    """What became of parsed messages; every one of them is in exactly one of the lists.

    `lines[i]` came from `owners[i]`. `unanswered` wait for the metadata store, `on_hold` go back to
    the queue for a while. `without_metadata` counts lines stored without a record.
    """

    lines: list[bytes] = field(default_factory=list)
    owners: list[Message] = field(default_factory=list)
    rejected: list[Message] = field(default_factory=list)
    unanswered: list[Parsed] = field(default_factory=list)
    on_hold: list[Message] = field(default_factory=list)
    without_metadata: int = 0


_keys = attrgetter("keys")


def encode_at_once(
    encoder: Encoder, messages: Sequence[Message], known: Known
) -> tuple[list[bytes], list[Message], Sequence[Message]]:
    """Make lines of the usual messages, one of each, whose records are at hand.

    Returns lines, their owners, which are WRITING then, and the messages that have to go the
    complete way, because they are unusual or because something is wrong with them.
    """
    line_of = encoder.of_text
    if line_of is None:
        return [], [], messages
    lines = []
    owners = []
    others = []
    for held in messages:
        try:
            line = line_of(held.body, held.attributes.sent_at_ms, known)
        except Exception:  # noqa: BLE001 - whatever it is, the complete way says what is wrong
            line = None
        if line is None:
            others.append(held)
        else:
            lines.append(line)
            owners.append(held)
    begin_writing(owners)
    if encoder.routes[0].has_metadata:
        known.used += len(owners)
    return lines, owners, others


def parse(encoder: Encoder, messages: Iterable[Message]) -> tuple[list[Parsed], list[Message]]:
    """Decode messages; returns what can go on, and what is rejected (with its `rejection` set)."""
    parsed = []
    rejected = []
    for held in messages:
        try:
            route, opened = encoder.open(held.body, sent_at_ms=held.attributes.sent_at_ms)
            keys = [route.metadata_key(reading, opened) for reading in opened.readings]
        except Rejected as rejection:
            held.rejection = rejection.bare()
        except Exception as error:  # noqa: BLE001 - a defect of ours must not stop the neighbours
            held.rejection = _defect(Stage.DECODE, error)
        else:
            parsed.append(Parsed(held, route, opened, keys))
            continue
        rejected.append(held)
    return parsed, rejected


def wanted_keys(parsed: Iterable[Parsed]) -> list[str]:
    """The distinct metadata keys that these messages need, in order of appearance."""
    wanted = dict.fromkeys(chain.from_iterable(map(_keys, parsed)))
    wanted.pop(None, None)
    return list(wanted)


def encode(parsed: Sequence[Parsed], records: Mapping[str, Metadata | None]) -> Encoded:
    """Make lines of messages whose keys were all answered, and sort out the rest.

    Each message whose lines are returned is WRITING then. A message is stored whole or, when
    one of its readings is refused, not at all: its dead letter can then be replayed as it is.
    """
    result = Encoded()
    all_lines, owners = result.lines, result.owners
    writing = []
    found: dict[Any, Metadata | None] = {None: None, **records}  # who names no record has none
    for each in parsed:
        held = each.held
        route = each.route
        keys = each.keys
        try:
            records_of = [found[key] for key in keys]
        except KeyError:
            result.unanswered.append(each)
            continue
        missing = 0
        if None in records_of and route.has_metadata:
            missing = records_of.count(None)
            if route.missing is not MissingPolicy.WRITE:
                _without_metadata(route.missing, each, records_of, result)
                continue
        try:
            lines = route.encode(each.opened, records_of, sent_at_ms=held.attributes.sent_at_ms)
        except Rejected as rejection:
            held.rejection = rejection.bare()
            result.rejected.append(held)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not stop the neighbours
            held.rejection = _defect(Stage.MAP, error)
            result.rejected.append(held)
        else:
            held.open_lines = len(lines)
            writing.append(held)
            all_lines += lines
            owners += [held] * len(lines)
            result.without_metadata += missing
    begin_writing(writing)
    return result


def _without_metadata(
    policy: MissingPolicy,
    parsed: Parsed,
    records: Sequence[Metadata | None],
    result: Encoded,
) -> None:
    key = parsed.keys[records.index(None)]
    # A reading that names no record will not find one later either: holding it would be for ever.
    if policy is MissingPolicy.HOLD and key is not None:
        result.on_hold.append(parsed.held)
        return
    detail = (
        "the reading names no metadata record"
        if key is None
        else f"there is no metadata record {key[:60]!r}"
    )
    parsed.held.rejection = Rejected(Stage.ENRICH, Reason.NO_METADATA, detail)
    result.rejected.append(parsed.held)


def _defect(stage: Stage, error: Exception) -> Rejected:
    # The type alone: the text of a foreign exception may carry the payload.
    return Rejected(
        stage, Reason.INTERNAL_ERROR, f"the ingestor failed with {type(error).__name__}"
    )

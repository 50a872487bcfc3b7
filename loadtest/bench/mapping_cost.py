"""What the mapping costs beside code that is written by hand for the same reading.

`python -m loadtest.bench.mapping_cost` prints all ways as JSON, in microseconds of CPU per message.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from ingestor.core.metadata import Known, Metadata
from loadtest.bench.answerers import ATTRIBUTES, Sqs
from loadtest.bench.byhand import ByHand

DEVICES = 1000
MESSAGES = 2_000
ROUNDS = 75

Message = tuple[str, int]
Work = Callable[[Sequence[Message]], list[bytes]]


def messages(count: int) -> list[Message]:
    """Bodies as the canned queue hands them out, each with the ms when it was sent."""
    queue = Sqs(devices=DEVICES, rate=None)
    made: list[Message] = []
    replies: list[bytes] = []
    while len(made) < count:
        queue(b"POST /", b"ReceiveMessage", b"{}", replies.append)
        answer = msgspec.json.decode(replies.pop().partition(b"\r\n\r\n")[2])
        made += [
            (each["Body"], int(each["Attributes"]["SentTimestamp"])) for each in answer["Messages"]
        ]
    return made[:count]


def records() -> Known:
    """A record for each of the devices, as large as the canned table's."""
    known = Known()
    for n in range(DEVICES):
        attributes = {f"attribute{k}": f"value {n}" for k in range(ATTRIBUTES)}
        known[f"key-{n:07d}"] = Metadata(attributes)
    return known


def by_mapping(known: Known) -> Work:
    """Decode, map and encode through the compiled default mapping, as the service does it.

    A message that cannot go this way gives no line: the bench's can.
    """
    line_of = Encoder(parse_mapping(DEFAULT_MAPPING)).of_text

    def work(batch: Sequence[Message]) -> list[bytes]:
        if line_of is None:
            return []
        made = [line_of(text, sent_at_ms, known) for text, sent_at_ms in batch]
        return [line for line in made if line is not None]

    return work


def by_complete_mapping(known: Known) -> Work:
    """The same as the service does it where a message is unusual: any format, any number."""
    encoder = Encoder(parse_mapping(DEFAULT_MAPPING))

    def work(batch: Sequence[Message]) -> list[bytes]:
        lines: list[bytes] = []
        for text, sent_at_ms in batch:
            route, opened = encoder.open(text, sent_at_ms=sent_at_ms)
            key_of = route.metadata_key
            keys = [key_of(reading, opened) for reading in opened.readings]
            found = [None if key is None else known[key] for key in keys]
            lines += route.encode(opened, found, sent_at_ms=sent_at_ms)
        return lines

    return work


def by_hand(known: Known) -> Work:
    """The same, written by hand."""
    make = ByHand().line

    def work(batch: Sequence[Message]) -> list[bytes]:
        made = [make(text, known, sent_at_ms=sent_at_ms) for text, sent_at_ms in batch]
        return [line for line in made if line is not None]

    return work


def compare(ways: Mapping[str, Work], batch: Sequence[Message], rounds: int) -> dict[str, float]:
    """Microseconds of CPU per message, the least of so many rounds in which all take turns.

    The least, because whatever else happens on the machine can only add to it.
    """
    least = dict.fromkeys(ways, float("inf"))
    for work in ways.values():
        work(batch)  # series are known from here on
    gc.collect()
    for _ in range(rounds):
        for name, work in ways.items():
            started = time.process_time_ns()
            work(batch)
            least[name] = min(least[name], (time.process_time_ns() - started) / 1e3 / len(batch))
    return least


def main() -> None:
    """Measure and print."""
    # Records of its own for each: what one remembers there is of no use to the others.
    ways = {
        "mapping": by_mapping(records()),
        "complete_mapping": by_complete_mapping(records()),
        "handwritten": by_hand(records()),
    }
    json.dump(compare(ways, messages(MESSAGES), ROUNDS), sys.stdout)


if __name__ == "__main__":
    main()

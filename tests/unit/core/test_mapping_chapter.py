"""Every example of ingestor/MAPPING.md is true."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from ingestor.core.encode import Encoder
from ingestor.core.mapping import Limits, parse_mapping
from ingestor.core.records import read_records
from ingestor.core.sample import Sample, try_out

CHAPTER = Path(__file__).parents[3] / "ingestor" / "MAPPING.md"
SENT_AT_MS = 1_700_000_000_400

_BLOCK = re.compile(r"^```(.+)\n((?:.*\n)*?)```$", re.MULTILINE)


class Example(NamedTuple):
    """A message, what counts for it, and what the chapter says becomes of it."""

    mapping: str
    records: str
    message: str
    kind: str
    expected: str


def examples() -> list[Example]:
    """All of them, in order; a mapping counts until the next one."""
    found = []
    mapping = records = message = ""
    for kind, text in _BLOCK.findall(CHAPTER.read_text()):
        match kind:
            case "toml mapping":
                mapping, records = text, "{}"
            case "json metadata":
                records = text
            case "json message" | "text message":
                message = text
            case "lp" | "error":
                found.append(Example(mapping, records, message, kind, text))
            case _:
                assert kind == "console"
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.expected[:40])
def test_example(example: Example) -> None:
    """The message becomes what the chapter says."""
    encoder = Encoder(parse_mapping(example.mapping))
    sample = Sample("example", example.message.encode(), None, is_payload=False)

    outcome = try_out(encoder, sample, read_records(example.records.encode()), SENT_AT_MS)

    lines = "".join(f"{line}\n" for line in outcome.lines)
    found = lines if example.kind == "lp" else f"{outcome.rejection}\n"
    assert found == example.expected


def test_limits_are_those_of_the_code() -> None:
    """The table of limits has every limit with its default."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", CHAPTER.read_text(), re.MULTILINE)

    assert {name: int(value) for name, value in rows} == Limits().model_dump()

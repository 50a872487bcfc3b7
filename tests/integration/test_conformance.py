"""The running console against its own OpenAPI document: schemathesis asks whatever it allows."""

import asyncio
import sys
from pathlib import Path

import pytest
from support.console import Rig

from ingestor.adapters.memory import MemoryRecords
from ingestor.console.openapi import FILE

EXAMPLES = 10
SEED = 1
STREAMS = "events"
"""It never ends: tests/unit/console reads it."""
SETTINGS = """
[checks]
# A body that is too large is refused as such, whatever else is wrong with it.
negative_data_rejection.expected-statuses = [
  "400", "401", "403", "404", "405", "409", "413", "415", "422", "428", "429", "5xx",
]
# What a schema cannot say (a begin before the end, an ETag, the sort key of this table, the words
# of a record, a confirmation) is refused as the document says.
positive_data_acceptance.expected-statuses = [
  "2xx", "304", "401", "403", "404", "409", "412", "413", "422", "428", "5xx",
]
"""


@pytest.mark.timeout(600)
async def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    """No failure: no 5xx, no status, type, header or body that is not in the document."""
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    rig = Rig(table=MemoryRecords([{"metakey": {"S": f"k{n}"}} for n in range(3)]))
    rig.facts |= {"reads_per_second": 1e6, "changes_per_second": 1e6}
    rig.reading("a", "k1")
    rig.letters.put('{"pressure": "x"}', {"stage": "map", "reason": "bad-field"})
    async with rig.running() as client:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(FILE)),
            *("--url", f"{client.url}/api/v1", "--exclude-operation-id", STREAMS),
            *("--checks", "all"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
            *("--seed", str(SEED), "--no-color", "--warnings", "off", "--request-timeout", "30"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-6000:]
    assert not [each for each in rig.events if each["level"] == "error"]

"""`ingestor check` as people run it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from service.conftest import Site

pytestmark = pytest.mark.servers


def check(environment: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    """Exit status, report and standard error of `ingestor check --json`."""
    process = subprocess.run(
        [sys.executable, "-m", "ingestor", "check", "--json"],
        env={"PATH": os.defpath} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, json.loads(process.stdout), process.stderr


async def test_all_is_well(site: Site) -> None:
    """On a working stack everything is found, and nothing is received or stored."""
    status, report, errors = check(site.stack.environment())

    assert (status, report["ok"], errors) == (0, True, "")
    assert {each["name"] for each in report["examined"]} == {"sqs", "dynamodb", "influxdb"}
    assert await site.stack.influxd.query_influxql("SHOW MEASUREMENTS") == []


async def test_everything_is_wrong(site: Site) -> None:
    """A queue, a table and a password that are wrong are all named in one go."""
    wrong = {
        "INGESTOR_QUEUE_URL": site.stack.queue_url + "-of-somebody-else",
        "INGESTOR_METADATA_TABLE": "no-such-table",
        "INGESTOR_INFLUXDB_PASSWORD": "topsecret-but-wrong",
    }

    status, report, errors = check(site.stack.environment() | wrong)

    assert (status, report["ok"]) == (1, False)
    assert {each["name"] for each in report["examined"] if not each["ok"]} == {
        "sqs",
        "dynamodb",
        "influxdb",
    }
    assert "topsecret" not in json.dumps(report) + errors


async def test_three_mistakes(site: Site) -> None:
    """Three mistakes in the environment are all named, each with its remedy."""
    wrong = {
        "INGESTOR_POLLERS": "many",
        "INGESTOR_INFLUXDB_URL": "localhost:8086",
        "INGESTOR_STOP_SECONDS": "",
        "INGESTOR_BATCH_LINES": "0",
    }

    status, report, _ = check(site.stack.environment() | wrong)

    assert (status, report["ok"]) == (2, False)
    assert [each["variable"] for each in report["mistakes"]] == [
        "INGESTOR_INFLUXDB_URL",
        "INGESTOR_POLLERS",
        "INGESTOR_BATCH_LINES",
    ]
    assert all(each["remedy"].startswith("Set it to ") for each in report["mistakes"])

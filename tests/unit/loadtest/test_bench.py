"""The bench's own parts: what the canned queue hands out, and what the report makes of figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from loadtest.bench.answerers import DynamoDb, InfluxDb, Sqs
from loadtest.bench.report import BenchReport, reached
from loadtest.bench.wire import Wire


def ask(answerer: Any, operation: bytes, body: bytes = b"{}", line: bytes = b"POST /") -> Any:
    """The JSON that an answerer replies."""
    replies: list[bytes] = []
    answerer(line, operation, body, replies.append)
    return json.loads(replies[0].partition(b"\r\n\r\n")[2])


def test_the_queue_hands_out_good_messages() -> None:
    """Ten at a time, all different, and the default mapping makes a line of each."""
    queue = Sqs(devices=7, rate=None)
    messages = [each for _ in range(3) for each in ask(queue, b"ReceiveMessage")["Messages"]]
    assert len({each["MessageId"] for each in messages}) == 30
    assert len({each["ReceiptHandle"] for each in messages}) == 30
    encoder = Encoder(parse_mapping(DEFAULT_MAPPING))
    keys = set()
    for each in messages:
        sent_at_ms = int(each["Attributes"]["SentTimestamp"])
        route, opened = encoder.open(each["Body"], sent_at_ms=sent_at_ms)
        keys.add(route.metadata_key(opened.readings[0], opened))
        (written,) = route.encode(opened, [None], sent_at_ms=sent_at_ms)
        assert written.startswith(b"pressure,sensorID=dev-")
    assert len(keys) == 7


def test_deletes_are_counted() -> None:
    """By their entries, each of which is confirmed."""
    queue = Sqs(devices=7, rate=None)
    entries = [{"Id": str(n), "ReceiptHandle": "h"} for n in range(3)]
    body = json.dumps({"Entries": entries}).encode()
    answer = ask(queue, b"DeleteMessageBatch", body)
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1", "2"]
    assert ask(queue, b"", line=b"GET /figures")["deleted"] == 3


def test_the_table_has_a_record_for_every_key() -> None:
    """By either call."""
    table = DynamoDb()
    keys = [{"metakey": {"S": f"key-{n}"}} for n in range(3)]
    body = json.dumps({"RequestItems": {"bench": {"Keys": keys}}}).encode()
    items = ask(table, b"BatchGetItem", body)["Responses"]["bench"]
    assert [each["metakey"]["S"] for each in items] == ["key-0", "key-1", "key-2"]
    item = ask(table, b"GetItem", json.dumps({"Key": keys[0]}).encode())["Item"]
    assert item == items[0]
    assert len(item) == 6
    assert ask(table, b"", line=b"GET /figures") == {"asked": 4}


@pytest.mark.parametrize("size", [1, 13, 1000])
def test_requests_are_found_however_they_arrive(size: int) -> None:
    """In pieces, or several at once."""
    influxdb = InfluxDb()
    wire = Wire(influxdb)
    request = b"POST /write HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nm v=1"
    for start in range(0, 3 * len(request), size):
        wire.data_received((3 * request)[start : start + size])
    assert (influxdb.requests, influxdb.size_bytes) == (3, 15)


def test_the_report_has_the_agreed_form(tmp_path: Path) -> None:
    """Scripts read it."""
    report = BenchReport({"cores": 2, "cpu": "x"})
    report.add("whole_path", 41_000.0, "messages/s", "core")
    report.ratio("tls_over_plain", 0.8)
    file = tmp_path / "build" / "bench.json"
    report.write(file)
    assert json.loads(file.read_text()) == {
        "figures": [{"name": "whole_path", "value": 41_000.0, "unit": "messages/s", "per": "core"}],
        "ratios": [{"name": "tls_over_plain", "value": 0.8}],
        "machine": {"cores": 2, "cpu": "x"},
    }
    assert report.good
    report.ratio("cost_1m_over_100_devices", 1.6)
    assert not report.good
    assert report.table().row_count == 3


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("vs_aioboto3_per_core", 12.0, True),
        ("vs_aioboto3_per_core", 11.9, False),
        ("idle_cores", 0.01, True),
        ("idle_cores", 0.02, False),
        ("something_else", 0.0, True),
    ],
)
def test_goals(name: str, value: float, *, good: bool) -> None:
    """Some are to be at least so much, some at most."""
    assert reached(name, value) is good

"""The bench's own parts: what the canned queue hands out, and what the report makes of figures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import ingestor
from ingestor.core.encode import Encoder
from ingestor.core.mapping import DEFAULT_MAPPING, parse_mapping
from loadtest.bench import mapping_cost, sampled
from loadtest.bench.answerers import DynamoDb, InfluxDb, Sqs
from loadtest.bench.ceiling import too_near
from loadtest.bench.report import AT_MOST, GOALS, BenchReport, reached
from loadtest.bench.runs import shares
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


def test_a_ceiling_that_is_too_near_is_told() -> None:
    """A queue that is hardly faster than what is measured in front of it says so in the report."""
    assert too_near(40_000.0, {"the queue": 60_000.0}) == []
    (warning,) = too_near(40_001.0, {"the queue": 60_000.0, "another": 100_000.0})
    assert warning.startswith("the queue can do 60,000 messages/s")
    report = BenchReport({"cores": 2, "cpu": "x"}, warnings=[warning])
    assert report.as_dict()["warnings"] == [warning]
    assert report.table().caption == warning


def test_every_goal_has_a_direction() -> None:
    """What is to be small is among the goals."""
    assert set(GOALS) >= AT_MOST
    assert set(GOALS) - AT_MOST == {
        "vs_aioboto3_per_core",
        "vs_seed_per_core",
        "tls_over_plain",
        "two_workers_over_one",
    }


def test_what_is_measured_beside_the_mapping_makes_the_same_lines() -> None:
    """Of the bodies that the canned queue hands out, with a record for each."""
    known = mapping_cost.records()
    batch = mapping_cost.messages(25)
    assert len(batch) == len({text for text, _ in batch}) == 25
    lines = mapping_cost.by_hand(known)(batch)
    assert mapping_cost.by_mapping(known)(batch) == lines
    assert mapping_cost.by_complete_mapping(known)(batch) == lines
    assert len(lines) == len(batch)
    assert all(b"attribute4=value\\ " in line for line in lines)


def test_the_least_of_the_rounds_counts() -> None:
    """Every way does the same work, once more than there are rounds."""
    calls: list[str] = []

    def way(name: str) -> mapping_cost.Work:
        def work(batch: Sequence[mapping_cost.Message]) -> list[bytes]:
            calls.append(name)
            return [text.encode() for text, _ in batch]

        return work

    least = mapping_cost.compare({"a": way("a"), "b": way("b")}, [("x", 1)] * 10, 3)
    assert calls == ["a", "b"] * 4
    assert set(least) == {"a", "b"}
    assert all(0 <= cost < float("inf") for cost in least.values())


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (
            "core/decode/texts.py:read_json core/process.py:parse pipeline/enrich.py:submit",
            "decode",
        ),
        ("core/encode/keys.py:member core/process.py:parse", "metadata"),
        ("<route>:line core/encode/route.py:encode pipeline/enrich.py:_resolve", "map and encode"),
        ("core/process.py:encode pipeline/enrich.py:_resolve", "map and encode"),
        ("core/settlement.py:admit pipeline/intake.py:admit pipeline/receive.py:_take", "receive"),
        ("adapters/sqs/queue.py:receive pipeline/receive.py:run app/service.py:serve", "receive"),
        ("adapters/sqs/lean/pool.py:ask pipeline/settle.py:_delete", "delete"),
        ("adapters/sqs/lean/connection.py:data_received app/service.py:serve", "HTTP"),
        ("adapters/influxdb/sink.py:_ask pipeline/write.py:_request", "write"),
        ("app/service.py:serve cli/run.py:run", "loop and rest"),
        ("", "loop and rest"),
    ],
)
def test_samples_belong_to_stages(stack: str, stage: str) -> None:
    """The innermost part of the service that has a name decides; the client's are its callers'."""
    frames = []
    for each in stack.split():
        file, _, function = each.partition(":")
        place = file if file == "<route>" else f"/srv/ingestor/ingestor/{file}"
        frames.append((place, function))
    foreign = [("/srv/ingestor/.venv/lib/site-packages/aiohttp/client.py", "post")]
    assert sampled.stage_of([*foreign, *frames]) == stage


@pytest.mark.parametrize("prefix", sampled.STAGES)
def test_stages_name_files_that_are_there(prefix: str) -> None:
    """Otherwise what was moved would be counted as the rest, silently."""
    package = Path(ingestor.__file__).parent
    start, _, function = prefix.partition(":")
    files = list(package.glob(f"{start}**/*.py" if start.endswith("/") else f"{start}*"))
    assert files
    assert not function or f"def {function}(" in (package / start).read_text()


def test_stages_share_the_time_of_the_main_thread() -> None:
    """By their samples; what the system counts by itself stands beside them."""
    seconds = {"main": 1.0, "threads": 0.1, "kernel": 0.2}
    costs = shares({"HTTP": 25, "decode": 75}, seconds, 100_000)
    assert costs == pytest.approx({"decode": 7.5, "HTTP": 2.5, "gzip": 1.0, "kernel": 2.0})
    assert list(costs) == ["decode", "HTTP", "gzip", "kernel"]

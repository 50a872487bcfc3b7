"""Messages go out when they are due, whatever the system does; what is late is counted as such."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.mqtt_listener import Listener

from loadtest.devices.builtin import find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.simulated import make_fleet
from loadtest.durations import Histogram
from loadtest.fleet.desk import Desk
from loadtest.fleet.limits import Limit, Limits, Second, find_limit
from loadtest.fleet.pacing import Pacer
from loadtest.fleet.parsing import parse_profile
from loadtest.fleet.plan import Message, Plan
from loadtest.fleet.profiles import Run
from loadtest.fleet.progress import Progress
from loadtest.fleet.ways import Dial, Direct, Mqtt, Sqs, Way
from loadtest.ledger.book import Book
from loadtest.sqs.sender import Queue
from loadtest.sqs.signature import Signer

NOON_MS = 1_795_521_600_000


class Bench:
    """A small plan with its ledger and desk."""

    def __init__(self, path: Path, *profiles: str, seconds: float = 1.0, rate: float = 100) -> None:
        devices = make_fleet(find_kinds(["vehicle"]), 10, make_records(2, seed=1), seed=1)
        parsed = [parse_profile(text) for text in profiles]
        self.plan = Plan(devices, parsed, Run(seconds, 1), rate=rate, start_ms=NOON_MS)
        self.book = Book.create(path / "ledger.sqlite", {})
        self.desk = Desk(Progress(), asyncio.get_running_loop().time)
        self.stop = asyncio.Event()

    async def run(self, way: Way) -> Progress:
        """Send the plan that way."""
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            running = group.create_task(way.run())
            await way.ready()
            await Pacer(self.plan, self.book, way, self.desk).run(self.stop)
            running.cancel()
        return self.desk.progress


async def test_a_slow_system_makes_messages_late_and_none_is_left_out(tmp_path: Path) -> None:
    """While the system stands still the schedule goes on, and every delay counts from when due."""
    bench = Bench(tmp_path)
    taken: list[Message] = []

    async def take(messages: Sequence[Message]) -> None:
        taken.extend(messages)
        await asyncio.sleep(max(0.0, 0.6 - bench.desk.now))  # it stands still for a while

    progress = await bench.run(Direct(bench.desk, take))

    assert progress.due == progress.begun == progress.acknowledged == len(taken) == 100
    # One by one, waiting for each answer, there would have been one slow message.
    assert progress.late >= 45
    assert progress.total.begun.most >= 0.45
    assert bench.book.count("acknowledged") == 100


async def test_a_copy_is_the_same_reading(tmp_path: Path) -> None:
    """Both copies of a message are sent, and the ledger has it once."""
    bench = Bench(tmp_path, "duplicates=30%")
    taken: list[bytes] = []

    async def take(messages: Sequence[Message]) -> None:
        taken.extend(message.payload for message in messages)

    progress = await bench.run(Direct(bench.desk, take))

    assert progress.copies > 10
    assert len(taken) == 100 + progress.copies
    assert len(set(taken)) == bench.book.count() == bench.book.count("acknowledged") == 100


async def test_a_stop_ends_the_schedule_and_waits_for_what_was_sent(tmp_path: Path) -> None:
    """What is not due yet stays in the ledger as never acknowledged."""
    bench = Bench(tmp_path, seconds=600)

    async def take(messages: Sequence[Message]) -> None:
        del messages
        bench.stop.set()

    progress = await bench.run(Direct(bench.desk, take))

    assert 0 < progress.due == progress.acknowledged < 100
    assert bench.book.count("acknowledged") == progress.due
    assert bench.book.count() > progress.due


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[Dial]:
    """A plain MQTT broker on a port of its own."""
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    async with server:
        yield Dial("127.0.0.1", server.sockets[0].getsockname()[1])


async def test_mqtt_a_connection_for_each_device(tmp_path: Path) -> None:
    """Every device speaks for itself, on its own topic, in its own order."""
    bench = Bench(tmp_path)
    listener = Listener()
    async with listening(listener) as dial:
        await bench.run(Mqtt(bench.desk, dial, 10))

    assert sorted(listener.connects) == sorted(f"device-{n}" for n in range(10))
    assert all(topic == f"fleet/vehicle/{client}" for client, topic, _ in listener.published)
    assert len(listener.published) == 100


async def test_mqtt_what_was_not_acknowledged_goes_again(tmp_path: Path) -> None:
    """Connections that break are opened again, and nothing is lost: what was open comes twice."""
    bench = Bench(tmp_path)
    listener = Listener(break_each=20)
    async with listening(listener) as dial:
        progress = await bench.run(Mqtt(bench.desk, dial, 10, most_connections=3))

    assert set(listener.connects) == {"device-0", "device-1", "device-2"}
    assert len(listener.connects) > 3
    assert progress.errors > 0
    assert progress.acknowledged == 100
    assert len({payload for _, _, payload in listener.published}) == 100
    assert len(listener.published) > 100


async def test_mqtt_a_storm_opens_every_connection_again(tmp_path: Path) -> None:
    """All connections go at once and come back, and every message is acknowledged."""
    bench = Bench(tmp_path, "storm:every=0.5")
    listener = Listener()
    async with listening(listener) as dial:
        progress = await bench.run(Mqtt(bench.desk, dial, 10))

    assert Counter(Counter(listener.connects).values()) == {2: 10}
    assert progress.acknowledged == 100


async def test_mqtt_a_connection_keeps_to_its_limit(tmp_path: Path) -> None:
    """Faster than a connection may publish is named as that, not as the broker's slowness."""
    bench = Bench(tmp_path, rate=60)
    listener = Listener()
    async with listening(listener) as dial:
        limited = Dial(dial.host, dial.port, most_per_second=30)
        progress = await bench.run(Mqtt(bench.desk, limited, 10, most_connections=1))

    assert progress.acknowledged == 60
    assert bench.desk.now > 1.9
    assert bench.desk.throttled > 10


class CannedQueue:
    """SendMessageBatch that refuses one entry of each first attempt, and fails now and then."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.calls = 0

    async def send(self, request: web.Request) -> web.Response:
        """Answer one call."""
        assert request.headers["x-amz-target"] == "AmazonSQS.SendMessageBatch"
        self.calls += 1
        if self.calls % 5 == 2:
            return web.Response(status=503)
        entries = (await request.json())["Entries"]
        refused = entries[:1] if len(entries) > 1 else []
        accepted = entries[len(refused) :]
        self.bodies += [entry["MessageBody"] for entry in accepted]
        return web.json_response(
            {
                "Successful": [{"Id": entry["Id"]} for entry in accepted],
                "Failed": [{"Id": entry["Id"]} for entry in refused],
            }
        )


async def test_sqs_what_was_refused_goes_again(tmp_path: Path) -> None:
    """Entries that fail in a batch, and batches that fail, are sent until they are accepted."""
    bench = Bench(tmp_path)
    canned = CannedQueue()
    application = web.Application()
    application.router.add_post("/", canned.send)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    queue = Queue("url", f"http://127.0.0.1:{port}", "eu-west-1", Credentials("id", "secret"))
    progress = await bench.run(Sqs(bench.desk, queue, start_ms=NOON_MS))
    await runner.cleanup()

    assert progress.acknowledged == 100
    assert progress.errors > 0
    assert len(canned.bodies) == len(set(canned.bodies)) == 100
    assert all('"topic":"fleet/vehicle/device-' in body for body in canned.bodies)


@pytest.mark.parametrize("token", [None, "session-token"])
def test_a_signature_is_that_of_botocore(token: str | None) -> None:
    """The signer says what botocore's says for the same request at the same moment."""
    credentials = Credentials("AKIDEXAMPLE", "secret", token)
    url, body = "https://sqs.eu-west-1.amazonaws.com", b'{"a":1}'
    signer = Signer(url, "sqs", "eu-west-1", "AmazonSQS.SendMessageBatch", credentials)
    ours = dict(signer.headers(body, datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)))
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": ours["x-amz-target"]}
    request = AWSRequest("POST", url + "/", headers, body)
    theirs = SigV4Auth(credentials, "sqs", "eu-west-1")
    request.context["timestamp"] = "20261124T120005Z"
    if token:
        request.headers["X-Amz-Security-Token"] = token
    request.headers["X-Amz-Date"] = "20261124T120005Z"
    canonical = theirs.canonical_request(request)
    signature = theirs.signature(theirs.string_to_sign(request, canonical), request)

    assert ours["authorization"].endswith(f"Signature={signature}")


def test_quantiles_of_a_histogram() -> None:
    """They are right to 4 %, never above the largest value, and none of nothing."""
    histogram = Histogram()
    assert histogram.quantile(0.5) is None
    for n in range(1, 1_001):
        histogram.add(n / 1_000)
    histogram.add(0.0)
    other = Histogram()
    other.add(5.0)
    histogram.merge(other)

    assert histogram.quantile(0.5) == pytest.approx(0.5, rel=0.05)
    assert histogram.quantile(0.99) == pytest.approx(0.99, rel=0.05)
    assert histogram.quantile(1.0) == histogram.most == 5.0
    assert histogram.quantile(0.0) == pytest.approx(0.0001)
    assert histogram.count == 1_002


FINE = {
    "begun": 1_000, "late": 900, "own_cpu_share": 0.3, "loop_lag_seconds": 0.001,
    "book_share": 0.1, "throttled": 0, "waiting_share": 0.9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"late": 10}, Limit.NONE),
        ({"begun": 0, "late": 0}, Limit.NONE),
        ({"own_cpu_share": 0.9}, Limit.CPU),
        ({"loop_lag_seconds": 0.2}, Limit.MACHINE),
        ({"book_share": 0.9}, Limit.BOOK),
        ({"book_share": 0.9, "loop_lag_seconds": 0.3}, Limit.BOOK),
        ({"throttled": 800}, Limit.CONNECTION),
        ({}, Limit.SYSTEM),
        ({"waiting_share": 0.1}, Limit.MACHINE),
    ],
)
def test_whose_limit_it_is(changes: dict[str, float], limit: Limit) -> None:
    """The generator's own limits are never reported as the system's."""
    assert find_limit(Second(**{**FINE, **changes})) is limit  # type: ignore[arg-type] # by name


def test_the_limit_of_a_run() -> None:
    """What most late messages are due to; none when hardly any were late."""
    limits = Limits()
    limits.add(Second(**FINE))  # type: ignore[arg-type] # by name
    limits.add(Second(**{**FINE, "late": 100, "own_cpu_share": 1.0}))  # type: ignore[arg-type] # by name

    assert limits.verdict(2_000) is Limit.SYSTEM
    assert limits.verdict(1_000_000) is Limit.NONE

"""The local stack is put together as production is: broker, rule, queues, table."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from aiobotocore.session import AioSession

from loadtest.devices import TOPIC, make_devices
from loadtest.fleet import Broker, Fleet
from loadtest.ledger.book import Book
from loadtest.ledger.judge import pack
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS
from loadtest.resources import MOST_RECEIVES, TABLE, VISIBILITY_SECONDS
from loadtest.servers import free_port
from loadtest.stack import Backlog, Stack, open_stack
from loadtest.toolchain import FoundInfluxd

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("stack"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(found_influxd: FoundInfluxd) -> AsyncIterator[Stack]:
    """A stack for this file; every test leaves its queues empty."""
    async with open_stack(found_influxd, "v1") as stack:
        yield stack


async def publish(stack: Stack, payload: bytes) -> None:
    """One message, acknowledged by the broker."""
    broker = stack.broker
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        transport="websockets",
        websocket_path="/mqtt",
        websocket_headers={"Host": broker.name},
    ) as client:
        await client.publish(TOPIC, payload, qos=1)


async def receive(stack: Stack) -> dict[str, Any]:
    """The next message of the main queue, deleted."""
    answer = await stack.sqs.receive_message(
        QueueUrl=stack.queue_url, WaitTimeSeconds=5, AttributeNames=["All"]
    )
    message: dict[str, Any] = answer["Messages"][0]
    await stack.sqs.delete_message(QueueUrl=stack.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return message


async def test_a_published_message_gets_to_the_queue(stack: Stack) -> None:
    """The rule forwards the payload with its topic and its time of arrival, in milliseconds."""
    before = time.time_ns() // 1_000_000
    await publish(stack, b'{"pressure": 10, "deviceid": "a"}')
    message = await receive(stack)
    body = json.loads(message["Body"])
    received_at = body.pop("received_at")

    assert body == {"pressure": 10, "deviceid": "a", "topic": "pressure/data"}
    assert before <= received_at <= time.time_ns() // 1_000_000
    assert before <= int(message["Attributes"]["SentTimestamp"])


async def test_the_queue_sends_dead_letters_on(stack: Stack) -> None:
    """The queue has a short visibility and a redrive policy to the dead-letter queue."""
    answer = await stack.sqs.get_queue_attributes(
        QueueUrl=stack.queue_url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
    )
    policy = json.loads(answer["Attributes"]["RedrivePolicy"])
    target = await stack.sqs.get_queue_attributes(
        QueueUrl=stack.dead_letter_queue_url, AttributeNames=["QueueArn"]
    )

    assert int(answer["Attributes"]["VisibilityTimeout"]) == VISIBILITY_SECONDS
    assert int(policy["maxReceiveCount"]) == MOST_RECEIVES
    assert policy["deadLetterTargetArn"] == target["Attributes"]["QueueArn"]


async def test_the_table_holds_the_records(stack: Stack) -> None:
    """Every record is in the table under its key, with all attributes."""
    session: Any = AioSession()
    async with session.create_client(
        "dynamodb",
        endpoint_url=stack.ministack.url,
        region_name=stack.ministack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ) as dynamodb:
        answer = await dynamodb.scan(TableName=TABLE)

    def comparable(item: Any) -> dict[str, Any]:
        return {
            name: {kind: sorted(value) if kind in {"SS", "NS"} else value}
            for name, typed in item.items()
            for kind, value in typed.items()
        }

    stored = {item["metakey"]["S"]: comparable(item) for item in answer["Items"]}
    assert stored == {record.key: comparable(record.item) for record in RECORDS}


async def test_backlog_and_dead_letters(stack: Stack) -> None:
    """What waits is counted, and dead letters come with the reason that was given for them."""
    await stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody="waits")

    assert await stack.backlog() == Backlog(1, 0)

    await receive(stack)
    await stack.sqs.send_message(
        QueueUrl=stack.dead_letter_queue_url,
        MessageBody="bad",
        MessageAttributes={
            "stage": {"DataType": "String", "StringValue": "decode"},
            "reason": {"DataType": "String", "StringValue": "not-json"},
        },
    )
    for _ in range(25):
        await stack.sqs.send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody="x")
    letters = await stack.take_dead_letters()

    assert len(letters) == 26
    assert [(letter.body, letter.why) for letter in letters if letter.body == "bad"] == [
        ("bad", "decode not-json")
    ]
    assert await stack.take_dead_letters() == []
    assert await stack.backlog() == Backlog(0, 0)
    assert await stack.take_rule_errors() == []


async def until(condition: Any) -> None:
    """Wait for something that another task does."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - neither tracker nor fleet tells of changes
            await asyncio.sleep(0.01)


async def test_a_fleet_publishes_what_its_ledger_says(stack: Stack, tmp_path: Path) -> None:
    """Every acknowledged reading of every device is in the queue, in each device's order."""
    devices = make_devices(5, RECORDS, seed=1)
    book = Book.create(tmp_path / "ledger.sqlite", {})
    tracker = Tracker(devices, book)
    fleet = Fleet(devices, stack.broker, tracker, interval_seconds=0.05)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(fleet.run(stop))
        await until(lambda: tracker.acknowledged >= 20 and fleet.connected == 5)
        stop.set()
    bodies = [json.loads((await receive(stack))["Body"]) for _ in range(tracker.acknowledged)]

    assert await stack.backlog() == Backlog(0, 0)
    assert fleet.connected == 0
    with book:
        sent = list(book.db.execute("SELECT device, sequence, content FROM sent"))
    numbers = {device.sensor: number for number, device in enumerate(devices)}
    assert sorted(sent) == sorted(
        (
            numbers[body["deviceid"] + body["clientid"]],
            body["sequence"],
            pack((body["pressure"], body["viscosity"]), ""),
        )
        for body in bodies
    )


class FlakyBroker:
    """Forwards connections to a broker, and cuts them all when told to."""

    def __init__(self, behind: Broker) -> None:
        self._behind = behind
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = free_port()
        self.mute = False

    async def run(self, started: asyncio.Event) -> None:
        """Forward until cancelled."""
        async with await asyncio.start_server(self._forward, "127.0.0.1", self.port):
            started.set()
            await asyncio.Event().wait()

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(self._behind.host, self._behind.port)
        self._writers |= {writer, forth}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._copy(reader, forth, mutable=False))
            group.create_task(self._copy(back, writer, mutable=True))

    async def _copy(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, mutable: bool
    ) -> None:
        try:
            while data := await source.read(65_536):
                if not (mutable and self.mute):
                    to.write(data)
        except OSError:
            pass
        finally:
            to.transport.abort()


async def test_a_device_publishes_again_what_was_not_acknowledged(stack: Stack) -> None:
    """After a lost acknowledgement and a cut connection the same reading is published again."""
    (device,) = make_devices(1, RECORDS, seed=1)
    flaky = FlakyBroker(stack.broker)
    tracker = Tracker([device])
    broker = Broker("127.0.0.1", flaky.port, stack.broker.name)
    fleet = Fleet([device], broker, tracker, interval_seconds=0.05)
    stop, started = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        proxy = group.create_task(flaky.run(started))
        await started.wait()
        run = group.create_task(fleet.run(stop))
        await until(lambda: tracker.acknowledged >= 2)
        flaky.mute = True
        await until(lambda: tracker.published > tracker.acknowledged)
        lost = tracker.published
        flaky.cut()
        flaky.mute = False
        await until(lambda: tracker.acknowledged > lost)
        stop.set()
        await run
        proxy.cancel()
    backlog = await stack.backlog()
    bodies = [json.loads((await receive(stack))["Body"]) for _ in range(backlog.waiting)]

    assert fleet.reconnects >= 1
    assert {body["sequence"] for body in bodies} == set(range(1, tracker.published + 1))
    assert tracker.acknowledged == tracker.published

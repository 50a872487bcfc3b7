"""The stand-in for AWS IoT Core beside MiniStack's broker: both bring the same into the queue."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest

from loadtest.devices.builtin import find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.payloads import write
from loadtest.devices.routes import rule_sql
from loadtest.devices.simulated import make_fleet
from loadtest.iot.server import Iot
from loadtest.resources import open_client
from loadtest.servers import MiniStack
from loadtest.sqs.server import Sqs

pytestmark = pytest.mark.servers

KINDS = find_kinds(["pressure", "vehicle", "weather"])
RULES = {kind.name: rule_sql(kind) for kind in KINDS}


@asynccontextmanager
async def make_queues(server: MiniStack | Sqs) -> AsyncIterator[tuple[Any, str, str]]:
    """A client, the URL of a queue for messages and of one for errors."""
    async with open_client("sqs", url=server.url, region=server.region) as sqs:
        urls = [(await sqs.create_queue(QueueName=name))["QueueUrl"] for name in ("q", "errors")]
        yield sqs, *urls


async def publish(client: aiomqtt.Client) -> None:
    """Two readings of each kind of device."""
    for device in make_fleet(KINDS, 6, make_records(2, seed=1), seed=1):
        payload = write(device, device.take(1_795_521_600_000), {})
        await client.publish(device.topic, payload, qos=1)


async def received(sqs: Any, url: str, count: int) -> list[dict[str, Any]]:
    """So many messages, without the moment that the broker has added, sorted."""
    bodies: list[dict[str, Any]] = []
    while len(bodies) < count:
        answer = await sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5, VisibilityTimeout=60
        )
        bodies += [json.loads(message["Body"]) for message in answer["Messages"]]
    for body in bodies:
        assert isinstance(body.pop("received_at"), int)
    return sorted(bodies, key=json.dumps)


async def test_both_brokers_make_the_same_of_the_same() -> None:
    """The statements of the fleet's rules mean to the stand-in what they mean to MiniStack."""
    async with MiniStack() as ministack, make_queues(ministack) as (sqs, url, _):
        async with open_client("iot", url=ministack.url, region=ministack.region) as iot:
            for name, sql in RULES.items():
                action = {"sqs": {"roleArn": "arn:aws:iam::000000000000:role/r", "queueUrl": url}}
                payload = {"sql": sql, "awsIotSqlVersion": "2016-03-23", "actions": [action]}
                await iot.create_topic_rule(ruleName=name, topicRulePayload=payload)
        async with aiomqtt.Client(
            "127.0.0.1",
            ministack.port,
            transport="websockets",
            websocket_path="/mqtt",
            websocket_headers={"Host": ministack.mqtt_host},
        ) as client:
            await publish(client)
        theirs = await received(sqs, url, 6)

    async with Sqs() as queues, make_queues(queues) as (sqs, url, errors):
        rules = list(RULES.values())
        async with (
            Iot(queues, rules, queue_url=url, error_queue_url=errors) as broker,
            aiomqtt.Client("127.0.0.1", broker.port) as client,
        ):
            await publish(client)
        ours = await received(sqs, url, 6)

    assert ours == theirs

"""Queues and tables of an emulator, for the tests of one adapter each."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aioboto3
import pytest

from loadtest.servers import MiniStack, Moto
from loadtest.sqs.server import Sqs

Emulator = MiniStack | Moto | Sqs


def unique(name: str) -> str:
    """A name that no other test uses: the emulators are shared."""
    return f"{name}-{uuid4().hex[:12]}"


def emulator_named(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The emulator of the fixture with this name; the environment leads adapters to it."""
    emulator: Emulator = request.getfixturevalue(name)
    for variable, value in emulator.environment().items():
        monkeypatch.setenv(variable, value)
    return emulator


@asynccontextmanager
async def client(emulator: Emulator, service: str) -> AsyncIterator[Any]:
    """The tests' own client, apart from the adapter's."""
    session: Any = aioboto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=emulator.region,
    )
    async with session.client(service, endpoint_url=emulator.url) as made:
        yield made


async def make_queue(sqs: Any, name: str, **attributes: object) -> str:
    """A queue with these attributes; returns its URL."""
    answer = await sqs.create_queue(
        QueueName=name,
        Attributes={key: str(value) for key, value in attributes.items()},
    )
    url: str = answer["QueueUrl"]
    return url


async def arn_of(sqs: Any, url: str) -> str:
    """The ARN of a queue."""
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn: str = answer["Attributes"]["QueueArn"]
    return arn


def redrive_to(arn: str, *, receives: int = 100) -> str:
    """A redrive policy."""
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})


async def make_table(dynamodb: Any, name: str, *, key: str = "metakey", kind: str = "S") -> None:
    """A table with one partition key, ready for use."""
    await dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
    )
    await dynamodb.get_waiter("table_exists").wait(TableName=name)


async def put_items(dynamodb: Any, table: str, *items: Mapping[str, Any]) -> None:
    """Store items in DynamoDB's typed form."""
    for item in items:
        await dynamodb.put_item(TableName=table, Item=dict(item))

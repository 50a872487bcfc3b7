"""Queues, rule and table as in production, made on servers that are up, here or elsewhere."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from loadtest.devices import TOPIC
from loadtest.records import KEY_ATTRIBUTE, RECORDS, Record
from loadtest.servers import ServerError

TABLE = "demo-DeviceMetaData"
RULE = "demo_ingest"
RULE_SQL = f"SELECT *, topic() AS topic, timestamp() AS received_at FROM '{TOPIC}'"  # noqa: S608 - IoT SQL of constants
VISIBILITY_SECONDS = 10
"""Short, so that what a killed service held comes back while people still watch."""
MOST_RECEIVES = 10
"""Of one message, before SQS itself moves it to the dead-letter queue."""

_RECORDS_AT_ONCE = 25
_ATTEMPTS = 10
_ROLE = "arn:aws:iam::000000000000:role/demo-iot-rule"


@dataclass(slots=True, frozen=True)
class Queues:
    """The addresses of the queues."""

    main: str
    dead_letters: str
    rule_errors: str


async def create_resources(
    client: Callable[[str], Any],
    records: Iterable[Record] = RECORDS,
    *,
    visibility_seconds: int = VISIBILITY_SECONDS,
) -> Queues:
    """Make queues, rule and table; `client` opens the client of a service.

    Raises ServerError when the services do not do as they are told.
    """
    with server_errors("MiniStack"):
        async with client("sqs") as sqs, client("iot") as iot, client("dynamodb") as dynamodb:
            dead_letters = await _create_queue(sqs, "demo-dead-letters")
            rule_errors = await _create_queue(sqs, "demo-rule-errors")
            queue = await _create_main_queue(
                sqs, "demo-readings", dead_letters, visibility_seconds=visibility_seconds
            )
            await _create_rule(iot, queue, rule_errors)
            await _create_table(dynamodb, records)
    return Queues(queue, dead_letters, rule_errors)


async def is_prepared(client: Callable[[str], Any]) -> bool:
    """Whether `create_resources` was here; its last piece tells."""
    with server_errors("MiniStack"):
        async with client("dynamodb") as dynamodb:
            tables = await dynamodb.list_tables()
    return TABLE in tables["TableNames"]


async def _create_queue(sqs: Any, name: str, **attributes: str) -> str:
    answer = await sqs.create_queue(QueueName=name, Attributes=attributes)
    url: str = answer["QueueUrl"]
    return url


async def _create_main_queue(
    sqs: Any, name: str, dead_letter_queue_url: str, *, visibility_seconds: int
) -> str:
    answer = await sqs.get_queue_attributes(
        QueueUrl=dead_letter_queue_url, AttributeNames=["QueueArn"]
    )
    policy = {
        "deadLetterTargetArn": answer["Attributes"]["QueueArn"],
        "maxReceiveCount": MOST_RECEIVES,
    }
    return await _create_queue(
        sqs, name, VisibilityTimeout=str(visibility_seconds), RedrivePolicy=json.dumps(policy)
    )


async def _create_rule(iot: Any, queue_url: str, error_queue_url: str) -> None:
    payload = rule_payload(to_queue(queue_url), error_queue_url)
    await iot.create_topic_rule(ruleName=RULE, topicRulePayload=payload)


def rule_payload(
    action: dict[str, Any], error_queue_url: str, *, sql: str = RULE_SQL
) -> dict[str, Any]:
    """What `create_topic_rule` and `replace_topic_rule` take for a rule with one action."""
    return {
        "sql": sql,
        "awsIotSqlVersion": "2016-03-23",
        "actions": [action],
        "errorAction": to_queue(error_queue_url),
    }


def to_queue(url: str) -> dict[str, Any]:
    """The action that puts messages into a queue."""
    return {"sqs": {"roleArn": _ROLE, "queueUrl": url, "useBase64": False}}


async def _create_table(dynamodb: Any, records: Iterable[Record]) -> None:
    await dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": KEY_ATTRIBUTE, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY_ATTRIBUTE, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    puts = [{"PutRequest": {"Item": record.item}} for record in records]
    for start in range(0, len(puts), _RECORDS_AT_ONCE):
        left = {TABLE: puts[start : start + _RECORDS_AT_ONCE]}
        for _ in range(_ATTEMPTS):
            answer = await dynamodb.batch_write_item(RequestItems=left)
            left = answer.get("UnprocessedItems")
            if not left:
                break
        else:
            raise ServerError(f"DynamoDB does not take records: {left}")


def open_client(service: str, *, url: str, region: str) -> Any:
    """A client that takes nothing from the user's AWS profile."""
    session: Any = AioSession()
    for variable in ("config_file", "credentials_file"):
        session.set_config_variable(variable, os.devnull)
    session.set_config_variable("profile", None)
    return session.create_client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - MiniStack takes any
    )


@contextmanager
def server_errors(what: str) -> Iterator[None]:
    """Within the block, calls that fail raise ServerError: `what` did not do as it was told."""
    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise ServerError(f"{what} does not do as it is told: {exc}") from exc

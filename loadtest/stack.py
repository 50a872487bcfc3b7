"""The local stack: AWS services and InfluxDB, with queues, rule and table as in production."""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from loadtest.devices import TOPIC
from loadtest.fleet import Broker
from loadtest.kinds import PACKED_TOPICS
from loadtest.mapping import MAPPING, MIXED_MAPPING
from loadtest.records import KEY_ATTRIBUTE, RECORDS, Record
from loadtest.servers import Influxd, MiniStack, ServerError
from loadtest.sqs.server import Sqs
from loadtest.toolchain import Api, FoundInfluxd

TABLE = "demo-DeviceMetaData"
RULE = "demo_ingest"
RULE_SQL = f"SELECT *, topic() AS topic, timestamp() AS received_at FROM '{TOPIC}'"  # noqa: S608 - IoT SQL of constants
PACKED_SQL = (
    "SELECT encode(*, 'base64') AS data, topic() AS topic, timestamp() AS received_at "  # noqa: S608 - as above
    f"FROM '{PACKED_TOPICS}'"
)
VISIBILITY_SECONDS = 10
"""Short, so that what a killed service held comes back while people still watch."""
MOST_RECEIVES = 10
"""Of one message, before SQS itself moves it to the dead-letter queue."""

_RECORDS_AT_ONCE = 25
_ATTEMPTS = 10
_ROLE = "arn:aws:iam::000000000000:role/demo-iot-rule"
_QUEUE_ATTRIBUTES = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(slots=True, frozen=True)
class Backlog:
    """Messages in the queue: those that wait, and those a consumer holds."""

    waiting: int
    in_flight: int


@dataclass(slots=True, frozen=True)
class DeadLetter:
    """A message of the dead-letter queue; `why` is empty when no reason came with it."""

    body: str
    why: str


@dataclass(slots=True, frozen=True)
class Queues:
    """The addresses of the queues."""

    main: str
    dead_letters: str
    rule_errors: str


@dataclass(slots=True)
class Stack:
    """Running servers and the addresses in them. Failing calls raise ServerError."""

    ministack: MiniStack
    influxd: Influxd
    sqs: Any
    queue_url: str
    dead_letter_queue_url: str
    rule_error_queue_url: str
    mapping: str = MAPPING
    fast_queue: Sqs | None = None

    @property
    def sqs_url(self) -> str:
        """The address of the server that has the queues."""
        return self.fast_queue.url if self.fast_queue else self.ministack.url

    @property
    def broker(self) -> Broker:
        """Where the devices connect."""
        return Broker("127.0.0.1", self.ministack.port, self.ministack.mqtt_host)

    def environment(self) -> dict[str, str]:
        """The variables of a service that works on this stack."""
        return {
            **self.ministack.environment(),
            **self.influxd.environment(),
            "INGESTOR_QUEUE_URL": self.queue_url,
            "INGESTOR_DEAD_LETTER_QUEUE_URL": self.dead_letter_queue_url,
            "INGESTOR_METADATA_TABLE": TABLE,
            "INGESTOR_METADATA_KEY_ATTRIBUTE": KEY_ATTRIBUTE,
            "INGESTOR_MAPPING": self.mapping,
            # A stop waits for the last poll, and nobody pays for polls here.
            "INGESTOR_RECEIVE_WAIT_SECONDS": "2",
        }

    def client(self, service: str) -> Any:
        """A client of another AWS service of the stack, as an async context manager."""
        return open_client(service, url=self.ministack.url, region=self.ministack.region)

    async def take_all_kinds(self) -> None:
        """From now on payloads that are no JSON objects come in too, each as a base64 text."""
        await self.add_rule("packed", PACKED_SQL)
        self.mapping = MIXED_MAPPING

    async def add_rule(self, name: str, sql: str) -> None:
        """From now on the queue gets what this statement selects, too."""
        payload = _rule_payload(_to_queue(self.queue_url), self.rule_error_queue_url, sql=sql)
        with _server_errors("the rule"):
            async with self.client("iot") as iot:
                await iot.create_topic_rule(ruleName=f"{RULE}_{name}", topicRulePayload=payload)

    async def rule_invokes(self, function_arn: str) -> None:
        """From now on the rule hands readings to a function instead of the queue."""
        payload = _rule_payload(
            {"lambda": {"functionArn": function_arn}}, self.rule_error_queue_url
        )
        with _server_errors("the rule"):
            async with self.client("iot") as iot:
                await iot.replace_topic_rule(ruleName=RULE, topicRulePayload=payload)

    async def backlog(self) -> Backlog:
        """What the queue holds now."""
        with _server_errors("the queue"):
            answer = await self.sqs.get_queue_attributes(
                QueueUrl=self.queue_url, AttributeNames=list(_QUEUE_ATTRIBUTES)
            )
        return Backlog(*(int(answer["Attributes"][name]) for name in _QUEUE_ATTRIBUTES))

    async def take_dead_letters(self) -> list[DeadLetter]:
        """Everything that is in the dead-letter queue, which is empty afterwards."""
        messages = await self._drain(self.dead_letter_queue_url)
        return [
            DeadLetter(
                message["Body"],
                " ".join(
                    attributes[name]["StringValue"]
                    for name in ("stage", "reason", "detail")
                    if name in (attributes := message.get("MessageAttributes", {}))
                ),
            )
            for message in messages
        ]

    async def take_rule_errors(self) -> list[str]:
        """The bodies of what the rule could not deliver; the queue is empty afterwards."""
        return [message["Body"] for message in await self._drain(self.rule_error_queue_url)]

    async def _drain(self, queue_url: str) -> list[dict[str, Any]]:
        drained: list[dict[str, Any]] = []
        with _server_errors("a queue"):
            while True:
                answer = await self.sqs.receive_message(
                    QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
                )
                messages = answer.get("Messages", [])
                if not messages:
                    return drained
                drained += messages
                entries = [
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages)
                ]
                await self.sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)


@asynccontextmanager
async def open_stack(
    found: FoundInfluxd,
    api: Api,
    records: Iterable[Record] = RECORDS,
    *,
    visibility_seconds: int = VISIBILITY_SECONDS,
    fast_queue: bool = False,
    mtls: bool = False,
) -> AsyncIterator[Stack]:
    """Start everything but the service; ServerError when something does not start.

    With `fast_queue` the queues are not MiniStack's, whose rules then cannot reach them. With
    `mtls` the broker also takes devices with client certificates.
    """
    async with AsyncExitStack() as stack:
        ministack = await stack.enter_async_context(MiniStack(mtls=mtls))
        influxd = await stack.enter_async_context(Influxd(found, api=api))
        fast = await stack.enter_async_context(Sqs()) if fast_queue else None

        def client(service: str) -> Any:
            url = fast.url if fast and service == "sqs" else ministack.url
            return open_client(service, url=url, region=ministack.region)

        queues = await create_resources(client, records, visibility_seconds=visibility_seconds)
        sqs = await stack.enter_async_context(client("sqs"))
        yield Stack(
            ministack,
            influxd,
            sqs,
            queues.main,
            queues.dead_letters,
            queues.rule_errors,
            fast_queue=fast,
        )


async def create_resources(
    client: Callable[[str], Any],
    records: Iterable[Record] = RECORDS,
    *,
    visibility_seconds: int = VISIBILITY_SECONDS,
) -> Queues:
    """Make queues, rule and table; `client` opens the client of a service.

    Raises ServerError when the services do not do as they are told.
    """
    with _server_errors("MiniStack"):
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
    with _server_errors("MiniStack"):
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
    payload = _rule_payload(_to_queue(queue_url), error_queue_url)
    await iot.create_topic_rule(ruleName=RULE, topicRulePayload=payload)


def _rule_payload(
    action: dict[str, Any], error_queue_url: str, *, sql: str = RULE_SQL
) -> dict[str, Any]:
    return {
        "sql": sql,
        "awsIotSqlVersion": "2016-03-23",
        "actions": [action],
        "errorAction": _to_queue(error_queue_url),
    }


def _to_queue(url: str) -> dict[str, Any]:
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
def _server_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise ServerError(f"{what} does not do as it is told: {exc}") from exc

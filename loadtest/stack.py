"""The local stack: AWS services and InfluxDB, with queues, rule and table as in production."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from loadtest.fleet import Broker
from loadtest.kinds import PACKED_TOPICS
from loadtest.mapping import MAPPING, MIXED_MAPPING
from loadtest.records import KEY_ATTRIBUTE, RECORDS, Record
from loadtest.resources import (
    RULE,
    TABLE,
    VISIBILITY_SECONDS,
    create_resources,
    open_client,
    rule_payload,
    server_errors,
    to_queue,
)
from loadtest.servers import Influxd, MiniStack
from loadtest.sqs.server import Sqs
from loadtest.toolchain import Api, FoundInfluxd

PACKED_SQL = (
    "SELECT encode(*, 'base64') AS data, topic() AS topic, timestamp() AS received_at "  # noqa: S608 - as above
    f"FROM '{PACKED_TOPICS}'"
)
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
        payload = rule_payload(to_queue(self.queue_url), self.rule_error_queue_url, sql=sql)
        with server_errors("the rule"):
            async with self.client("iot") as iot:
                await iot.create_topic_rule(ruleName=f"{RULE}_{name}", topicRulePayload=payload)

    async def rule_invokes(self, function_arn: str) -> None:
        """From now on the rule hands readings to a function instead of the queue."""
        payload = rule_payload({"lambda": {"functionArn": function_arn}}, self.rule_error_queue_url)
        with server_errors("the rule"):
            async with self.client("iot") as iot:
                await iot.replace_topic_rule(ruleName=RULE, topicRulePayload=payload)

    async def backlog(self) -> Backlog:
        """What the queue holds now."""
        with server_errors("the queue"):
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
        with server_errors("a queue"):
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

"""SQS and DynamoDB go away and come back, under the adapters' feet."""

from random import Random
from typing import Literal

import pytest
from contracts.emulators import client, make_queue, make_table, put_items
from contracts.queues import receive_all

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.dynamodb import open_dynamodb
from ingestor.adapters.sqs import open_sqs
from ingestor.core.message import Attributes, Message, Reason, Receipt, Rejected, Stage
from ingestor.ports import DeadLetter, Unavailable
from loadtest.servers import MiniStack, Moto

pytestmark = pytest.mark.servers

OLD = Message("old", "handle", "{}", Attributes(1_700_000_000_000))
RECEIPTS = [Receipt("old", "handle")]
LETTERS = [DeadLetter(OLD, Rejected(Stage.DECODE, Reason.NOT_JSON, "no"))]


@pytest.mark.parametrize("sqs_client", ["aioboto3", "lean"])
@pytest.mark.parametrize("kind", [Moto, MiniStack])
async def test_queue_outage(
    kind: type[Moto | MiniStack],
    sqs_client: Literal["aioboto3", "lean"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every call is unavailable while SQS is down; the same adapter works when it is back."""
    async with kind() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        async with client(server, "sqs") as sqs:
            url = await make_queue(sqs, "readings")
            dead_url = await make_queue(sqs, "dead")
            async with open_sqs(
                queue_url=url,
                dead_letter_queue_url=dead_url,
                wait_seconds=1,
                pollers=1,
                client=sqs_client,
            ) as queue:
                await sqs.send_message(QueueUrl=url, MessageBody="before")
                await receive_all(queue, 1)
                await server.kill()
                for call in (
                    queue.receive(),
                    queue.delete(RECEIPTS),
                    queue.extend(RECEIPTS, 30),
                    queue.dead_letter(LETTERS),
                    queue.depth(),
                ):
                    with pytest.raises(Unavailable, match="SQS"):
                        await call
                await server.restart()
                # What was in the emulator's memory is gone with it.
                await make_queue(sqs, "readings")
                await sqs.send_message(QueueUrl=url, MessageBody="after")
                (message,) = await receive_all(queue, 1)
                assert message.body == "after"


@pytest.mark.parametrize("kind", [Moto, MiniStack])
async def test_table_outage(kind: type[Moto | MiniStack], monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is answered while DynamoDB is down; the same adapter works when it is back."""
    async with kind() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        async with (
            client(server, "dynamodb") as dynamodb,
            open_dynamodb(
                table="table",
                key_attribute="metakey",
                clock=SystemClock(),
                random=Random(1),  # noqa: S311 - chance, not secrets
            ) as store,
        ):
            await make_table(dynamodb, "table")
            assert await store.fetch(["1"]) == {"1": None}
            await server.kill()
            with pytest.raises(Unavailable, match="DynamoDB"):
                await store.fetch(["1"])
            await server.restart()
            await make_table(dynamodb, "table")
            await put_items(dynamodb, "table", {"metakey": {"S": "1"}, "family": {"S": "sensors"}})
            record = (await store.fetch(["1"]))["1"]
            assert record is not None
            assert record.attributes == {"metakey": "1", "family": "sensors"}


async def test_records_too_large_for_one_answer(
    moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What DynamoDB leaves out beyond 16 MB is asked for until all is there."""
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    keys = [f"k{n}" for n in range(50)]
    async with client(moto, "dynamodb") as dynamodb:
        await make_table(dynamodb, "large")
        for key in keys:
            item = {"metakey": {"S": key}, "text": {"S": "x" * 390_000}}
            await put_items(dynamodb, "large", item)
        async with open_dynamodb(
            table="large",
            key_attribute="metakey",
            clock=SystemClock(),
            random=Random(1),  # noqa: S311 - chance, not secrets
        ) as store:
            answers = await store.fetch(keys)
    assert [key for key in keys if answers.get(key) is not None] == keys

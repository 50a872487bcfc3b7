"""What the AWS adapters say of queues and tables that are not as they should be."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from contracts.emulators import Emulator, arn_of, client, make_queue, make_table, redrive_to, unique

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.dynamodb import TableSetupError, open_dynamodb
from ingestor.adapters.sqs import QueueSetupError, open_sqs

pytestmark = pytest.mark.servers


@dataclass(slots=True, frozen=True)
class Account:
    """An emulated AWS account with a queue for dead letters."""

    emulator: Emulator
    sqs: Any
    dynamodb: Any
    dead_url: str

    async def redrive(self, *, receives: int = 100) -> str:
        """A policy that leads to that queue."""
        return redrive_to(await arn_of(self.sqs, self.dead_url), receives=receives)

    def open_queue(self, url: str, *, dead_url: str | None = None) -> Any:
        """The adapter for a queue."""
        return open_sqs(
            queue_url=url,
            dead_letter_queue_url=dead_url,
            wait_seconds=0,
            pollers=1,
            endpoint_url=self.emulator.url,
            region_name=self.emulator.region,
        )

    def open_table(self, table: str, *, key: str = "metakey") -> Any:
        """The adapter for a table."""
        return open_dynamodb(
            table=table,
            key_attribute=key,
            clock=SystemClock(),
            random=Random(1),  # noqa: S311 - chance, not secrets
            endpoint_url=self.emulator.url,
            region_name=self.emulator.region,
        )


@pytest.fixture(params=["moto", "ministack"])
def emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Each emulator in turn, with its credentials in the environment."""
    server: Emulator = request.getfixturevalue(request.param)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
async def account(emulator: Emulator) -> AsyncIterator[Account]:
    """An account with a queue for dead letters."""
    async with client(emulator, "sqs") as sqs, client(emulator, "dynamodb") as dynamodb:
        dead_url = await make_queue(sqs, unique("dead"), MessageRetentionPeriod=1_209_600)
        yield Account(emulator, sqs, dynamodb, dead_url)


async def refused(account: Account, url: str, *, dead_url: str | None = None) -> str:
    """What the adapter says when it cannot be opened."""
    with pytest.raises(QueueSetupError) as caught:
        async with account.open_queue(url, dead_url=dead_url):
            pass
    return str(caught.value)


async def test_finds_the_dead_letter_queue(account: Account) -> None:
    """The redrive policy names it; a queue in order has no warnings."""
    url = await make_queue(account.sqs, unique("readings"), RedrivePolicy=await account.redrive())
    async with account.open_queue(url) as queue:
        assert queue.dead_letter_queue_url == account.dead_url
        assert queue.warnings == []


async def test_a_given_dead_letter_queue_comes_first(account: Account) -> None:
    """A URL in the configuration is used whatever the redrive policy says."""
    other_url = await make_queue(account.sqs, unique("other"), MessageRetentionPeriod=1_209_600)
    url = await make_queue(account.sqs, unique("readings"), RedrivePolicy=await account.redrive())
    async with account.open_queue(url, dead_url=other_url) as queue:
        assert queue.dead_letter_queue_url == other_url


async def test_a_queue_that_does_not_exist(account: Account) -> None:
    """The wrong name and the region that was asked are named."""
    says = await refused(account, account.dead_url.replace("dead-", "no-"))
    assert "does not exist" in says
    assert "us-east-1" in says


async def test_a_dead_letter_queue_that_does_not_exist(account: Account) -> None:
    """The same for the other queue, given or found."""
    no_url = account.dead_url.replace("dead-", "no-")
    url = await make_queue(account.sqs, unique("readings"))
    assert "dead-letter queue" in await refused(account, url, dead_url=no_url)


async def test_a_redrive_policy_that_leads_nowhere(account: Account) -> None:
    """A dead-letter queue that was deleted since is named by its ARN."""
    url = await make_queue(account.sqs, unique("readings"), RedrivePolicy=await account.redrive())
    arn = await arn_of(account.sqs, account.dead_url)
    await account.sqs.delete_queue(QueueUrl=account.dead_url)
    assert arn in await refused(account, url)


async def test_no_dead_letter_queue(account: Account) -> None:
    """Without one there is no place for what can never be stored."""
    url = await make_queue(account.sqs, unique("readings"))
    assert "INGESTOR_DEAD_LETTER_QUEUE_URL" in await refused(account, url)


async def test_its_own_dead_letter_queue(account: Account) -> None:
    """Refused messages would circle."""
    assert "circle" in await refused(account, account.dead_url, dead_url=account.dead_url)


async def test_a_fifo_queue(account: Account) -> None:
    """IoT rules send to standard queues only."""
    url = await make_queue(account.sqs, f"{unique('readings')}.fifo", FifoQueue="true")
    assert "FIFO" in await refused(account, url, dead_url=account.dead_url)


async def test_a_visibility_too_short_to_renew(account: Account) -> None:
    """Under two seconds no lease can be kept."""
    url = await make_queue(account.sqs, unique("readings"), VisibilityTimeout=1)
    assert "visibility timeout" in await refused(account, url, dead_url=account.dead_url)


async def test_warns_of_what_works_badly(account: Account) -> None:
    """Short visibility, few receives and a short memory for dead letters are each told."""
    await account.sqs.set_queue_attributes(
        QueueUrl=account.dead_url, Attributes={"MessageRetentionPeriod": "3600"}
    )
    url = await make_queue(
        account.sqs,
        unique("readings"),
        VisibilityTimeout=10,
        RedrivePolicy=await account.redrive(receives=2),
    )
    async with account.open_queue(url) as queue:
        visibility, receives, retention = queue.warnings
    assert "visibility timeout" in visibility
    assert "maxReceiveCount" in receives
    assert "keeps messages for 3600 s" in retention


async def test_warns_of_a_missing_redrive_policy(account: Account) -> None:
    """A message that nobody manages to settle would come again and again."""
    url = await make_queue(account.sqs, unique("readings"))
    async with account.open_queue(url, dead_url=account.dead_url) as queue:
        (warning,) = queue.warnings
    assert "no redrive policy" in warning


async def test_a_table_in_order(account: Account) -> None:
    """A check of a table that can be used returns."""
    table = unique("table")
    await make_table(account.dynamodb, table)
    async with account.open_table(table) as store:
        await store.check()


async def test_a_table_that_does_not_exist(account: Account) -> None:
    """The wrong name and the region that was asked are named."""
    async with account.open_table(unique("no")) as store:
        with pytest.raises(TableSetupError, match=r"does not exist.*us-east-1"):
            await store.check()


async def test_a_table_with_another_key(account: Account) -> None:
    """The table's key and the configured one are named, with the setting."""
    table = unique("table")
    await make_table(account.dynamodb, table, key="serial")
    async with account.open_table(table) as store:
        with pytest.raises(TableSetupError, match="is serial, not metakey alone"):
            await store.check()


async def test_a_table_with_a_sort_key(account: Account) -> None:
    """One record for each key is what enrichment needs."""
    table = unique("table")
    await account.dynamodb.create_table(
        TableName=table,
        KeySchema=[
            {"AttributeName": "metakey", "KeyType": "HASH"},
            {"AttributeName": "version", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "metakey", "AttributeType": "S"},
            {"AttributeName": "version", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    async with account.open_table(table) as store:
        with pytest.raises(TableSetupError, match="sort key"):
            await store.check()


async def test_a_table_with_a_numeric_key(account: Account) -> None:
    """Keys are compared as text."""
    table = unique("table")
    await make_table(account.dynamodb, table, kind="N")
    async with account.open_table(table) as store:
        with pytest.raises(TableSetupError, match="not a string"):
            await store.check()

"""Rows 24 to 26: a table of moto's, with much to answer, or without the record that is wanted."""

import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from faults.conftest import Ground
from faults.records import families, put
from service.conftest import reading, until
from support.figures import figures

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.dynamodb import open_dynamodb
from loadtest.chaos.site import PatientService
from loadtest.mapping import MAPPING
from loadtest.proxy import FaultProxy, aws_operation
from loadtest.proxy.http import Reply, Request
from loadtest.records import KEY_ATTRIBUTE
from loadtest.resources import TABLE, open_client
from loadtest.servers import Moto

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def moto_table(moto: Moto) -> AsyncIterator[Any]:
    """An empty table of moto's, as a client."""
    async with open_client("dynamodb", url=moto.url, region=moto.region) as dynamodb:
        await dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": KEY_ATTRIBUTE, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": KEY_ATTRIBUTE, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb
        await dynamodb.delete_table(TableName=TABLE)


def service_on(ground: Ground, moto: Moto, **variables: str) -> PatientService:
    """A service whose table is moto's."""
    changes = {f"INGESTOR_{name}": value for name, value in variables.items()}
    return PatientService(
        ground.site.environment() | changes | {"AWS_ENDPOINT_URL_DYNAMODB": moto.url}
    )


async def test_f24_more_than_one_call_takes(moto: Moto, moto_table: Any) -> None:
    """Keys twice, more than 100, records of more than 16 MB: distinct calls, one whole answer."""
    for n in range(50):
        await put(moto_table, f"large-{n}", "x" * 390_000)
    for n in range(150):
        await put(moto_table, f"small-{n}", f"family-{n}")
    wanted = [f"large-{n}" for n in range(50)] + [f"small-{n}" for n in range(150)] + ["nobody"]
    asked: list[list[str]] = []
    left: list[int] = []

    def told(request: Request, reply: Reply) -> None:
        if aws_operation(request) == "BatchGetItem":
            keys = json.loads(request.body)["RequestItems"][TABLE]["Keys"]
            asked.append([key[KEY_ATTRIBUTE]["S"] for key in keys])
            unprocessed = json.loads(reply.body)["UnprocessedKeys"]
            left.append(len(unprocessed.get(TABLE, {}).get("Keys", ())))

    async with FaultProxy(lambda: moto.url, aws_operation, told) as proxy:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in moto.environment().items():
                patch.setenv(name, value)
            async with open_dynamodb(
                table=TABLE,
                key_attribute=KEY_ATTRIBUTE,
                clock=SystemClock(),
                random=Random(1),  # noqa: S311 - chance, not secrets
                endpoint_url=proxy.url,
            ) as store:
                answers = await store.fetch([key for key in wanted for _ in range(2)])

    assert answers.keys() == set(wanted)
    assert [key for key, record in answers.items() if record is None] == ["nobody"]
    assert all(
        record and record.attributes[KEY_ATTRIBUTE] == key
        for key, record in answers.items()
        if key != "nobody"
    )
    assert max(map(len, asked)) == 100  # the most that DynamoDB takes
    assert all(len(set(keys)) == len(keys) for keys in asked)
    assert max(left) > 0  # moto, as DynamoDB, stops at 16 MB


@pytest.mark.parametrize("policy", ["write", "hold", "reject"])
async def test_f25_no_record(ground: Ground, moto: Moto, moto_table: Any, policy: str) -> None:
    """A device that the table does not have is treated as the mapping says, and counted."""
    await put(moto_table, "there", "known")
    mapping = MAPPING.replace('missing = "write"', f'missing = "{policy}"')
    async with service_on(ground, moto, MAPPING=mapping) as service:
        await ground.send(reading(1, metakey="there"), reading(2, metakey="nobody"))
        await ground.until_stored(1)

        counter = {
            "write": "ingestor_without_metadata_total",
            "hold": "ingestor_released_total",
            "reject": "ingestor_rejected_total/no-metadata/enrich",
        }[policy]

        async def is_counted() -> bool:
            return (await figures(service.url)).get(counter) == 1

        await until(is_counted)
        if policy != "hold":
            await ground.until_empty()
        await service.finish()

    stored = {1: "known", 2: ""} if policy == "write" else {1: "known"}
    assert {n: family or "" for n, family in (await families(ground)).items()} == stored
    letters = [letter.why for letter in await ground.stack.take_dead_letters()]
    rejected = ["enrich no-metadata there is no metadata record 'nobody'"]
    assert letters == (rejected if policy == "reject" else [])
    backlog = await ground.stack.backlog()
    assert backlog.waiting + backlog.in_flight == (policy == "hold")


async def test_f26_a_record_is_added(ground: Ground, moto: Moto, moto_table: Any) -> None:
    """A record made after it was missing is used as soon as that was believed for its time."""
    async with service_on(
        ground, moto, CACHE_NEGATIVE_TTL_SECONDS="1", CACHE_TTL_SECONDS="86400"
    ) as service:
        await ground.send(reading(0, metakey="new"))
        await ground.until_stored(1)
        await put(moto_table, "new", "added")
        sent = 1

        async def is_seen() -> bool:
            nonlocal sent
            await ground.send(reading(sent, metakey="new"))
            sent += 1
            await ground.until_stored(sent)
            return (await families(ground))[sent - 1] == "added"

        await until(is_seen, seconds=30)
        said = await figures(service.url)
        await ground.until_empty()
        await service.finish()

    found = await families(ground)
    assert not found[0]
    assert said["ingestor_without_metadata_total"] == sum(not each for each in found.values())

"""Metadata records that are found by partition and sort key."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from contracts.emulators import client, unique

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.dynamodb import TableSetupError, open_dynamodb
from ingestor.core.metadata import join_key
from loadtest.servers import MiniStack, Moto

Emulator = Moto | MiniStack

pytestmark = pytest.mark.servers


@pytest.fixture(params=["moto", "ministack"])
def emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Each emulator in turn, with its credentials in the environment."""
    server: Emulator = request.getfixturevalue(request.param)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
async def table(emulator: Emulator) -> AsyncIterator[str]:
    """A table of units by plant, with two units of one plant."""
    name = unique("units")
    async with client(emulator, "dynamodb") as dynamodb:
        await dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "plant", "KeyType": "HASH"},
                {"AttributeName": "unit", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "plant", "AttributeType": "S"},
                {"AttributeName": "unit", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        for unit in ("7", "8"):
            item = {"plant": {"S": "north"}, "unit": {"S": unit}, "family": {"S": f"f{unit}"}}
            await dynamodb.put_item(TableName=name, Item=item)
        yield name


def open_table(emulator: Emulator, table: str, *, sort: str | None = "unit") -> Any:
    """The adapter for the table."""
    return open_dynamodb(
        table=table,
        key_attribute="plant",
        sort_attribute=sort,
        clock=SystemClock(),
        random=Random(1),  # noqa: S311 - chance, not secrets
        endpoint_url=emulator.url,
        region_name=emulator.region,
    )


async def test_each_pair_has_its_record(emulator: Emulator, table: str) -> None:
    """Both parts count; a key that lacks one certainly has no record."""
    keys = [join_key("north", "7"), join_key("north", "8"), join_key("south", "7"), "north"]
    keys.append(join_key("north", "x" * 1025))
    async with open_table(emulator, table) as store:
        await store.check()
        found = await store.fetch(keys)

    attributes = [found[key] and found[key].attributes for key in keys]
    assert attributes == [
        {"plant": "north", "unit": "7", "family": "f7"},
        {"plant": "north", "unit": "8", "family": "f8"},
        None,
        None,
        None,
    ]


async def test_a_sort_key_that_is_not_told(emulator: Emulator, table: str) -> None:
    """The check names both keys and the variable to set."""
    async with open_table(emulator, table, sort=None) as store:
        with pytest.raises(TableSetupError, match="INGESTOR_METADATA_SORT_ATTRIBUTE to its sort"):
            await store.check()

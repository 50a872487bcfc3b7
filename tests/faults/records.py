"""Metadata records of the tests, and what readings are stored with."""

from typing import Any

from faults.conftest import Ground

from loadtest.records import KEY_ATTRIBUTE
from loadtest.resources import TABLE


async def put(dynamodb: Any, key: str, family: str | None) -> None:
    """Store a metadata record; None takes it away."""
    it = {KEY_ATTRIBUTE: {"S": key}}
    if family is None:
        await dynamodb.delete_item(TableName=TABLE, Key=it)
    else:
        await dynamodb.put_item(TableName=TABLE, Item={**it, "family": {"S": family}})


async def families(ground: Ground) -> dict[int, str]:
    """The tag `family` of each reading that is stored; more points than readings are a mistake."""
    rows = await ground.stack.influxd.query_influxql("SELECT sequence, family FROM pressure")
    assert len({row["sequence"] for row in rows}) == len(rows)
    return {row["sequence"]: row["family"] for row in rows}

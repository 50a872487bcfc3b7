"""The `RecordTable` port over DynamoDB: single records, read consistently and written carefully."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ingestor.adapters.aws import calling, code_of
from ingestor.adapters.dynamodb.client import CALLS_AT_ONCE, open_client
from ingestor.console_ports import Item, Merged, NotStorable
from ingestor.core.tablekeys import Keys
from ingestor.ports import Unavailable

if TYPE_CHECKING:  # the stubs are not installed where the service runs
    from types_aiobotocore_dynamodb.client import DynamoDBClient

_CHANGED = "ConditionalCheckFailedException"
_INVALID = "ValidationException"


@asynccontextmanager
async def open_records(
    *,
    table: str,
    key_attribute: str,
    sort_attribute: str | None = None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
) -> AsyncIterator["DynamoDbRecords"]:
    """The records of a table until the end of the block. Nothing is asked before the first call.

    Raises:
        Unavailable: no client can be made.
    """
    opening = open_client(
        endpoint_url=endpoint_url, region_name=region_name, setup_error=Unavailable
    )
    async with opening as client:
        yield DynamoDbRecords(client, table, Keys(key_attribute, sort_attribute))


class DynamoDbRecords:
    """Made by `open_records`."""

    def __init__(self, client: "DynamoDBClient", table: str, keys: Keys) -> None:
        # The generated types of items are narrower than ours, which are any valid item.
        self._client: Any = client
        self._table = table
        self._keys = keys
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)

    def __repr__(self) -> str:
        return f"<DynamoDbRecords {self._table}>"

    async def get(self, key: str) -> Item | None:
        """See RecordTable."""
        answer = await self._call("GetItem", Key=self._keys.item(key), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    async def create(self, item: Item) -> bool:
        """See RecordTable."""
        answer = await self._call(
            "PutItem",
            Item=item,
            ConditionExpression="attribute_not_exists(#k)",
            ExpressionAttributeNames={"#k": self._keys.partition},
        )
        return answer is not None

    async def replace(self, old: Item, new: Item) -> bool:
        """See RecordTable.

        What differs is set and removed, on the condition that every attribute is as it was: an
        attribute that somebody has added meanwhile stays, or has the name of a new one of ours.
        """
        update = _Update()
        for name, value in old.items():
            if not self._is_key(name):
                update.conditions.append(f"{update.name(name)} = {update.value(value)}")
        for name, value in new.items():
            if self._is_key(name) or old.get(name) == value:
                continue
            if name not in old:
                update.conditions.append(f"attribute_not_exists({update.name(name)})")
            update.sets.append(f"{update.name(name)} = {update.value(value)}")
        update.removes = [update.name(name) for name in old if name not in new]
        # Also where nothing else is asked of it, the record must still be there.
        update.conditions.append(f"attribute_exists({update.name(self._keys.partition)})")
        if not update.sets and not update.removes:
            answer = await self._call("GetItem", Key=self._key_of(old), ConsistentRead=True)
            return bool(answer.get("Item") == old)
        answer = await self._call("UpdateItem", Key=self._key_of(old), **update.request())
        return answer is not None

    async def merge(self, item: Item) -> Merged:
        """See RecordTable."""
        update = _Update()
        for name, value in item.items():
            if not self._is_key(name):
                update.sets.append(f"{update.name(name)} = {update.value(value)}")
        answer = await self._call(
            "UpdateItem", Key=self._key_of(item), ReturnValues="ALL_OLD", **update.request()
        )
        old = answer.get("Attributes")
        if not old:
            return Merged.CREATED
        same = all(_same(old.get(name), value) for name, value in item.items())
        return Merged.UNCHANGED if same else Merged.CHANGED

    async def scan(self) -> AsyncGenerator[list[Item], None]:
        """See RecordTable. Eventually consistent: half the price."""
        start: dict[str, Any] = {}
        while True:
            answer = await self._call("Scan", **start)
            yield answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    async def _call(self, operation: str, **request: Any) -> Any:
        """One call; None when its condition does not hold."""
        method = {
            "GetItem": self._client.get_item,
            "PutItem": self._client.put_item,
            "UpdateItem": self._client.update_item,
            "Scan": self._client.scan,
        }[operation]
        async with self._slots, calling("DynamoDB", operation):
            try:
                return await method(TableName=self._table, **request)
            except ClientError as exc:
                if code_of(exc) == _CHANGED:
                    return None
                if code_of(exc) == _INVALID:
                    # Its words can quote the item.
                    raise NotStorable("DynamoDB does not accept it") from exc
                raise

    def _is_key(self, name: str) -> bool:
        return name in self._keys.names()

    def _key_of(self, item: Item) -> Item:
        return {name: value for name, value in item.items() if self._is_key(name)}


class _Update:
    """An UpdateItem as it is written: names and values are never part of an expression."""

    def __init__(self) -> None:
        self.sets: list[str] = []
        self.removes: list[str] = []
        self.conditions: list[str] = []
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        """What stands for an attribute."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: Any) -> str:
        """What stands for a value."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def request(self) -> dict[str, Any]:
        """The parts of the request; none that is empty."""
        update = " ".join(
            f"{verb} {', '.join(parts)}"
            for verb, parts in (("SET", self.sets), ("REMOVE", self.removes))
            if parts
        )
        request = {
            "UpdateExpression": update,
            "ConditionExpression": " AND ".join(self.conditions),
            "ExpressionAttributeNames": {short: name for name, short in self._names.items()},
            "ExpressionAttributeValues": self._values,
        }
        return {name: part for name, part in request.items() if part}


def _same(old: Any, new: Any) -> bool:
    """Whether two values are one: the members of sets have no order."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        return all(
            sorted(old[kind]) == sorted(value) if kind in {"SS", "NS"} else old[kind] == value
            for kind, value in new.items()
        )
    return False

"""What the table says of itself: checked before it is relied on."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ingestor.adapters.aws import calling, code_of
from ingestor.core.tablekeys import Keys

if TYPE_CHECKING:  # the stubs are not installed where the service runs
    from types_aiobotocore_dynamodb.client import DynamoDBClient


class TableSetupError(Exception):
    """The metadata table cannot be used as it is; the text says what to do."""


async def inspect(client: "DynamoDBClient", table: str, keys: Keys) -> None:
    """Return when the table is there, with these keys.

    Raises:
        TableSetupError: it does not exist, or has others.
        Unavailable: DynamoDB did not answer, or not to us.
    """
    async with calling("DynamoDB", "DescribeTable"):
        try:
            answer = await client.describe_table(TableName=table)
        except ClientError as exc:
            if code_of(exc) != "ResourceNotFoundException":
                raise
            raise TableSetupError(
                f"The table {table} does not exist. Check its name, account and region "
                f"(asked in {client.meta.region_name})."
            ) from exc
        description = answer["Table"]
        there = tuple(each["AttributeName"] for each in description["KeySchema"])
        types = {
            each["AttributeName"]: each["AttributeType"]
            for each in description["AttributeDefinitions"]
        }
    ours = keys.names()
    if there != ours:
        alone = " alone" if len(ours) == 1 else ""
        raise TableSetupError(
            f"The key of the table {table} is {' + '.join(there)}, not "
            f"{' + '.join(ours)}{alone}. Set INGESTOR_METADATA_KEY_ATTRIBUTE to its "
            "partition key, and INGESTOR_METADATA_SORT_ATTRIBUTE to its sort key if it has one."
        )
    for name in ours:
        if types.get(name) != "S":
            raise TableSetupError(
                f"The key {name} of the table {table} is not a string attribute. Use a "
                "table whose keys have the type S."
            )

"""DynamoDB: the records that readings are enriched with; `records` is the table as it is edited."""

from ingestor.adapters.dynamodb.lookup import DynamoDbMetadata, open_dynamodb
from ingestor.adapters.dynamodb.setup import TableSetupError

__all__ = ["DynamoDbMetadata", "TableSetupError", "open_dynamodb"]

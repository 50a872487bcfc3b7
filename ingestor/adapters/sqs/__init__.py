"""SQS: the queue that readings come from, and the one for dead letters."""

from ingestor.adapters.sqs.queue import SqsQueue, open_sqs
from ingestor.adapters.sqs.setup import QueueSetupError

__all__ = ["QueueSetupError", "SqsQueue", "open_sqs"]

"""What aioboto3 costs by itself: receive and delete, nothing else. Run as a process.

As its documentation shows it; with BENCH_TUNED=1 on uvloop and without validation of parameters.
"""

import asyncio
import os

import aioboto3
import uvloop
from aiobotocore.config import AioConfig

POLLERS = 4


async def _loop(sqs: object, url: str) -> None:
    while True:
        answer = await sqs.receive_message(  # type: ignore[attr-defined] # made from a description
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10, AttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        if messages:
            entries = [
                {"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]}
                for n, each in enumerate(messages)
            ]
            await sqs.delete_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[attr-defined] # as above


async def main(*, tuned: bool) -> None:
    """Run until killed."""
    url = os.environ["BENCH_QUEUE_URL"]
    config = AioConfig(max_pool_connections=2 * POLLERS, parameter_validation=not tuned)
    async with aioboto3.Session().client("sqs", config=config) as sqs, asyncio.TaskGroup() as group:
        for n in range(POLLERS):
            group.create_task(_loop(sqs, url), name=f"loop-{n}")


if __name__ == "__main__":
    if os.environ.get("BENCH_TUNED") == "1":
        uvloop.run(main(tuned=True))
    else:
        asyncio.run(main(tuned=False))

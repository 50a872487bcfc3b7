"""What the queue says of itself: read once, checked before anything is received."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingestor.adapters.aws import CALL_SECONDS, ErrorAnswer, unreadable
from ingestor.adapters.sqs.answers import AttributesAnswer, UrlAnswer
from ingestor.adapters.sqs.letters import CALL_BYTES
from ingestor.adapters.sqs.transport import Transport

LEAST_VISIBILITY_SECONDS = 2
"""SQS counts whole seconds, and a lease is renewed when half of it is over."""
SAFE_VISIBILITY_SECONDS = 30
SAFE_RECEIVES = 5
_NO_SUCH_QUEUE = frozenset({"NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"})


class QueueSetupError(Exception):
    """The queue, or its dead-letter queue, cannot be used as it is; the text says what to do."""


@dataclass(slots=True, frozen=True)
class Setup:
    """What the adapter has to know of its two queues.

    `letter_bytes` is the most that one dead letter may have. `warnings` are sentences for a person.
    """

    visibility_timeout_seconds: float
    dead_letter_queue_url: str
    letter_bytes: int
    warnings: list[str] = field(default_factory=list)


async def inspect(
    transport: Transport, *, queue_url: str, dead_letter_queue_url: str | None
) -> Setup:
    """Read the attributes of both queues and judge them.

    Raises:
        QueueSetupError: a queue does not exist, is FIFO, or has a visibility too short to renew;
            or there is no dead-letter queue.
        Unavailable: SQS did not answer, or not to us.
    """
    queue = await _attributes(transport, queue_url, "queue")
    visibility = int(queue["VisibilityTimeout"])
    if visibility < LEAST_VISIBILITY_SECONDS:
        raise QueueSetupError(
            f"The visibility timeout of {queue_url} is {visibility} s: messages would come again "
            f"while they are being stored. Set it to {SAFE_VISIBILITY_SECONDS} s or more."
        )
    redrive = _redrive_policy(queue)
    if dead_letter_queue_url is None:
        if redrive is None:
            raise QueueSetupError(
                f"{queue_url} has no redrive policy, so there is no dead-letter queue for messages "
                "that can never be stored. Give it one, or set INGESTOR_DEAD_LETTER_QUEUE_URL."
            )
        dead_letter_queue_url = await _url_of(transport, str(redrive.get("deadLetterTargetArn")))
    if dead_letter_queue_url == queue_url:
        raise QueueSetupError(
            f"{queue_url} is its own dead-letter queue: refused messages would circle for ever. "
            "Set INGESTOR_DEAD_LETTER_QUEUE_URL to another queue."
        )
    dead_letters = await _attributes(transport, dead_letter_queue_url, "dead-letter queue")
    return Setup(
        visibility_timeout_seconds=float(visibility),
        dead_letter_queue_url=dead_letter_queue_url,
        letter_bytes=int(dead_letters.get("MaximumMessageSize", CALL_BYTES)),
        warnings=_warnings(queue_url, queue, dead_letters, redrive),
    )


async def _attributes(transport: Transport, url: str, what: str) -> Mapping[str, str]:
    request = {"QueueUrl": url, "AttributeNames": ["All"]}
    try:
        answer = await transport.call(
            "GetQueueAttributes", request, AttributesAnswer, seconds=CALL_SECONDS
        )
    except ErrorAnswer as exc:
        if exc.code not in _NO_SUCH_QUEUE:
            raise
        raise QueueSetupError(
            f"The {what} {url} does not exist. Check its name, account and region "
            f"(asked in {transport.region_name})."
        ) from exc
    attributes = answer.attributes
    if not attributes.get("VisibilityTimeout", "").isdecimal():  # every queue has one
        raise unreadable("SQS", "GetQueueAttributes")
    if url.endswith(".fifo") or attributes.get("FifoQueue") == "true":
        raise QueueSetupError(
            f"The {what} {url} is a FIFO queue, and IoT rules send to standard queues only. "
            "Use a standard queue."
        )
    return attributes


def _redrive_policy(attributes: Mapping[str, str]) -> dict[str, Any] | None:
    try:
        policy = json.loads(attributes.get("RedrivePolicy", "null"))
    except ValueError:
        return None
    return policy if isinstance(policy, dict) else None


async def _url_of(transport: Transport, arn: str) -> str:
    """The URL of the queue with this ARN, `arn:aws:sqs:<region>:<account>:<name>`."""
    account, _, name = arn.rpartition(":")
    account = account.rpartition(":")[2]
    request = {"QueueName": name, "QueueOwnerAWSAccountId": account}
    try:
        answer = await transport.call("GetQueueUrl", request, UrlAnswer, seconds=CALL_SECONDS)
    except ErrorAnswer as exc:
        if exc.code not in _NO_SUCH_QUEUE:
            raise
        raise QueueSetupError(
            f"The dead-letter queue {arn} that the redrive policy names does not exist. "
            "Create it, correct the policy, or set INGESTOR_DEAD_LETTER_QUEUE_URL."
        ) from exc
    return answer.queue_url


def _warnings(
    queue_url: str,
    queue: Mapping[str, str],
    dead_letters: Mapping[str, str],
    redrive: Mapping[str, Any] | None,
) -> list[str]:
    """What works, but not as its owner will want it."""
    warnings = []
    visibility = int(queue["VisibilityTimeout"])
    if visibility < SAFE_VISIBILITY_SECONDS:
        warnings.append(
            f"The visibility timeout of {queue_url} is only {visibility} s: short hiccups will "
            f"deliver messages again. {SAFE_VISIBILITY_SECONDS} s or more is better."
        )
    if redrive is None:
        warnings.append(
            f"{queue_url} has no redrive policy: a message that nobody manages to settle comes "
            "again until its retention ends. Give it one."
        )
    elif int(redrive.get("maxReceiveCount", SAFE_RECEIVES)) < SAFE_RECEIVES:
        warnings.append(
            f"The redrive policy of {queue_url} allows only {redrive['maxReceiveCount']} receives "
            f"(maxReceiveCount): a few restarts will move good messages to the dead-letter queue. "
            f"Set it to {SAFE_RECEIVES} or more."
        )
    kept = int(queue.get("MessageRetentionPeriod", "0"))
    dead_kept = int(dead_letters.get("MessageRetentionPeriod", str(kept)))
    if dead_kept < kept:
        warnings.append(
            f"The dead-letter queue keeps messages for {dead_kept} s, {queue_url} for {kept} s "
            "(MessageRetentionPeriod), and the age of a message is counted from the first of them: "
            "dead letters can vanish unseen. Set the dead-letter queue's to 1209600 s (14 days)."
        )
    return warnings

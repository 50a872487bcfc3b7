"""What the adapters for AWS share."""

import asyncio

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from ingestor.adapters.aws import calling, code_of
from ingestor.ports import Unavailable


async def test_a_call_has_a_deadline() -> None:
    """A call that hangs is given up, and the reason says after how long."""
    with pytest.raises(Unavailable) as caught:
        async with calling("SQS", "ReceiveMessage", seconds=0.01):
            await asyncio.Event().wait()
    assert caught.value.reason == "SQS did not answer ReceiveMessage within 0.01 s."


async def test_cancelling_is_not_a_failure_of_the_service() -> None:
    """A cancelled call ends with the cancellation."""
    started = asyncio.Event()

    async def call() -> None:
        async with calling("SQS", "ReceiveMessage"):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call(), name="call")
    await started.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize(
    "error",
    [
        BotoCoreError(),
        HTTPClientError(error="https://secret.example/"),
        AttributeError("secret"),
        KeyError("secret"),
    ],
)
async def test_foreign_exceptions_end_here(error: Exception) -> None:
    """Whatever the client raises becomes Unavailable, with the cause kept and nothing quoted."""
    with pytest.raises(Unavailable) as caught:
        async with calling("SQS", "ReceiveMessage"):
            raise error
    assert caught.value.__cause__ is error
    assert "secret" not in caught.value.reason


async def test_our_own_outcomes_pass() -> None:
    """An Unavailable of the block itself is not wrapped once more."""
    own = Unavailable("own")
    with pytest.raises(Unavailable) as caught:
        async with calling("SQS", "ReceiveMessage"):
            raise own
    assert caught.value is own


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "NonExistentQueue"),
        ({"Error": {"Code": "x" * 500}}, "x" * 80),
        ({}, "Unknown"),
    ],
)
def test_error_codes_are_short(response: dict[str, dict[str, str]], code: str) -> None:
    """The code is told in its short form, whatever an endpoint sends."""
    assert code_of(ClientError(response, "ReceiveMessage")) == code  # type: ignore[arg-type] # as odd answers are

"""Rows 10, 12, 13 and 50: deletes that lie, fail, or stand behind long polls."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Literal

import pytest
from faults.calls import Held, observed
from faults.conftest import Ground
from service.conftest import reading

from ingestor.adapters.sqs import open_sqs
from ingestor.core.message import Message, Receipt
from loadtest.proxy import FailedEntries, FakeSuccess, Reset, Status

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]


async def test_f10_delete_without_effect(ground: Ground) -> None:
    """A delete that only seems to succeed leaves the message, which is then deleted again."""
    ground.sqs.arm(FakeSuccess(), "DeleteMessageBatch", times=3)
    async with ground.service() as service:
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until_stored(30)
        await ground.until_empty()
        await service.finish()

    assert ground.sqs.applied == {"fake-success": 3}
    assert ground.site.custody.redelivered == 30
    assert await ground.sequences() == list(range(30))


async def test_f10_newest_receipt(ground: Ground) -> None:
    """What comes again while it is held is deleted with its newest receipt, and no older one."""
    async with observed(ground, INFLUXDB_TIMEOUT_SECONDS="120", SELF_REPORT_SECONDS="0") as (
        service,
        calls,
    ):
        await ground.until(lambda: ground.influxdb.requests)
        write = Held()
        ground.sqs.arm(FakeSuccess(), "ChangeMessageVisibilityBatch", times=10_000)
        ground.influxdb.arm(write, "write", times=100)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: ground.site.custody.redelivered >= 30)
        await ground.until_total(service, "ingestor_duplicates_total", 30)
        ground.sqs.disarm()
        write.let_go.set()
        ground.influxdb.disarm()
        await ground.until_empty()
        await service.finish()

    assert len(calls.newest) == 30
    assert calls.deletes.keys() == set(calls.newest.values())
    assert await ground.sequences() == list(range(30))


async def test_f12_entries_of_a_delete_fail(ground: Ground) -> None:
    """What failed for now is tried again, alone; what failed for good comes again; all count."""
    await ground.visibility(12)  # so that nothing but what is refused comes again
    async with observed(ground) as (service, calls):
        ground.sqs.arm(FailedEntries(), "DeleteMessageBatch", times=3)
        await ground.send(*(reading(n) for n in range(30)))
        await ground.until(lambda: len(calls.deleted) == 30)
        failed_for_now = calls.failed.copy()
        assert failed_for_now
        assert ground.site.custody.redelivered == 0

        for_good = FailedEntries(each=1, code="ReceiptHandleIsInvalid", sender_fault=True)
        ground.sqs.arm(for_good, "DeleteMessageBatch")
        await ground.send(*(reading(n) for n in range(30, 60)))
        await ground.until(lambda: len(calls.deleted) == 60)
        await service.scrape()
        await service.finish()

    refused = calls.failed - failed_for_now
    assert len(refused) == ground.site.custody.redelivered > 0
    assert calls.deletes == calls.handed_out + failed_for_now
    assert calls.needless == 0
    assert service.total("ingestor_queue_failures_total") == calls.failed.total()
    assert await ground.sequences() == list(range(60))
    assert await ground.stack.take_dead_letters() == []


def applied(ground: Ground, name: str, least: int) -> bool:
    """Whether so many calls to SQS went wrong in this way."""
    return ground.sqs.applied[name] >= least


async def test_f13_deletes_fail(ground: Ground) -> None:
    """A delete that failed, or whose reply was lost, is repeated: nothing comes again.

    So often that the one repetition by the client does not help.
    """
    async with ground.service() as service:
        for fault, first in ((Status(500, "error"), 0), (Reset(applied=True), 60)):
            ground.sqs.arm(fault, "DeleteMessageBatch", times=1000)
            await ground.send(*(reading(n) for n in range(first, first + 60)))
            await ground.until(partial(applied, ground, fault.name, 12))
            ground.sqs.disarm()
            await ground.until_stored(first + 60)
            await ground.until_empty()
        await service.finish()

    assert ground.site.custody.redelivered == 0
    assert await ground.sequences() == list(range(120))


@pytest.mark.parametrize("client", ["lean", "aioboto3"])
async def test_f50_polls_leave_room_for_deletes(
    ground: Ground, client: Literal["lean", "aioboto3"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While as many polls wait as there may be, a delete is done before any of them ends."""
    for name, value in ground.site.environment().items():
        monkeypatch.setenv(name, value)
    opened = open_sqs(
        queue_url=ground.stack.queue_url,
        dead_letter_queue_url=None,
        wait_seconds=20,
        pollers=10,
        client=client,
    )
    async with opened as queue:
        await ground.send(reading(1))
        messages: Sequence[Message] = ()
        for _ in range(10):  # a loaded server may answer a poll before it has the message
            messages = messages or list(await queue.receive())
        [message] = messages
        async with asyncio.TaskGroup() as group:
            polls = [group.create_task(queue.receive()) for _ in range(11)]
            await ground.until(lambda: ground.sqs.requests >= 10)
            receipt = Receipt(message.message_id, message.receipt_handle)
            assert await queue.delete([receipt]) == []
            assert not any(poll.done() for poll in polls)
            await ground.until_empty()
            # Answered, not cancelled: the server gives what the next test sends to polls that are
            # gone.
            while not all(poll.done() for poll in polls):
                await ground.send(*(reading(n) for n in range(10)))

"""What the `Queue` port promises, kept by the fake and by SQS."""

import asyncio
import time

import pytest
from contracts.emulators import emulator_named
from contracts.queues import (
    PATIENCE_SECONDS,
    Letter,
    OpenQueue,
    memory_queue,
    receipt,
    receive_all,
    sqs_queue,
)

from ingestor.core.message import Reason, Receipt, Rejected, Stage
from ingestor.ports import BATCH, DeadLetter, QueueDepth


@pytest.fixture(
    params=[
        ("memory", ""),
        *(
            pytest.param((emulator, client), marks=pytest.mark.servers, id=f"{emulator}-{client}")
            for emulator in ("moto", "ministack", "fast_sqs")
            for client in ("aioboto3", "lean")
        ),
    ]
)
def open_queue(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OpenQueue:
    """Makes queues of each implementation in turn."""
    name, sqs_client = request.param
    if name == "memory":
        return memory_queue
    emulator = emulator_named(name, request, monkeypatch)
    return sqs_queue(emulator, sqs_client)


async def test_hands_over_what_was_sent(open_queue: OpenQueue) -> None:
    """Body, identity, time of sending and number of receives are those of the message."""
    async with open_queue() as it:
        before_ms = time.time_ns() // 1_000_000
        message_id = await it.send('{"pressure": 1013}')
        (message,) = await receive_all(it.queue, 1)
    assert message.message_id == message_id
    assert message.body == '{"pressure": 1013}'
    assert message.receipt_handle
    assert message.attributes.receive_count == 1
    assert abs(message.attributes.sent_at_ms - before_ms) < PATIENCE_SECONDS * 1000


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("Größe 温度 🌡 \ufffd", id="unicode"),
        pytest.param("\ta\r\nb\n", id="white-space"),
        pytest.param("<a>&amp;\"'\\", id="markup"),
        pytest.param("x" * 200_000, id="large"),
    ],
)
async def test_bodies_come_unchanged(open_queue: OpenQueue, body: str) -> None:
    """Whatever text a queue takes it hands over as it was."""
    async with open_queue() as it:
        await it.send(body)
        (message,) = await receive_all(it.queue, 1)
    assert message.body == body


async def test_receives_at_most_a_batch(open_queue: OpenQueue) -> None:
    """More messages than fit into one answer come in several."""
    async with open_queue() as it:
        sent = {await it.send(str(n)) for n in range(BATCH + 2)}
        first = await it.queue.receive()
        rest = await receive_all(it.queue, len(sent) - len(first))
    assert 1 <= len(first) <= BATCH
    assert {each.message_id for each in [*first, *rest]} == sent


async def test_nothing_came(open_queue: OpenQueue) -> None:
    """An empty queue answers an empty poll."""
    async with open_queue() as it:
        assert list(await it.queue.receive()) == []


async def test_a_poll_ends_when_a_message_comes(open_queue: OpenQueue) -> None:
    """A receive that waits gets the message that is sent meanwhile."""
    async with open_queue(wait_seconds=20) as it, asyncio.TaskGroup() as group:
        poll = group.create_task(it.queue.receive(), name="poll")
        message_id = await it.send("late")
        messages = await poll
        assert [each.message_id for each in messages] == [message_id]


async def test_a_cancelled_poll_hurts_no_other(open_queue: OpenQueue) -> None:
    """After a receive was cancelled the next one works."""
    async with open_queue(visibility_seconds=2) as it:
        poll = asyncio.create_task(it.queue.receive(), name="poll")
        await asyncio.sleep(0)
        poll.cancel()
        await asyncio.wait([poll])
        await it.send("a")
        (message,) = await receive_all(it.queue, 1)
    assert message.body == "a"


async def test_says_how_long_messages_stay_invisible(open_queue: OpenQueue) -> None:
    """The visibility timeout is the queue's own."""
    async with open_queue(visibility_seconds=77) as it:
        assert it.queue.visibility_timeout_seconds == 77


async def test_a_received_message_is_invisible(open_queue: OpenQueue) -> None:
    """What one receive has, others do not get."""
    async with open_queue(wait_seconds=0) as it:
        await it.send("a")
        await receive_all(it.queue, 1)
        assert list(await it.queue.receive()) == []


async def test_comes_again_unless_deleted_or_extended(open_queue: OpenQueue) -> None:
    """After the visibility timeout a message comes again, the same but for receipt and count."""
    async with open_queue(visibility_seconds=2) as it:
        for body in ("deleted", "extended", "left"):
            await it.send(body)
        messages = {each.body: each for each in await receive_all(it.queue, 3)}
        assert list(await it.queue.delete([receipt(messages["deleted"])])) == []
        assert list(await it.queue.extend([receipt(messages["extended"])], 60)) == []
        (again,) = await receive_all(it.queue, 1)
        assert list(await it.queue.delete([receipt(again)])) == []
        assert list(await it.queue.receive()) == []
        assert await it.queue.depth() == QueueDepth(visible=0, in_flight=1)
    left = messages["left"]
    assert (
        again.message_id,
        again.body,
        again.attributes.sent_at_ms,
        again.attributes.receive_count,
    ) == (
        left.message_id,
        "left",
        left.attributes.sent_at_ms,
        2,
    )
    assert again.receipt_handle != left.receipt_handle


async def test_zero_gives_messages_back_at_once(open_queue: OpenQueue) -> None:
    """Extending by 0 seconds makes messages visible long before their timeout."""
    async with open_queue(visibility_seconds=300) as it:
        sent = {await it.send(str(n)) for n in range(3)}
        messages = await receive_all(it.queue, 3)
        assert list(await it.queue.extend([receipt(each) for each in messages], 0)) == []
        again = await receive_all(it.queue, 3)
    assert {each.message_id for each in again} == sent
    assert {each.attributes.receive_count for each in again} == {2}


async def test_a_full_batch_is_deleted(open_queue: OpenQueue) -> None:
    """Ten receipts in one call all take effect."""
    async with open_queue(wait_seconds=0) as it:
        for n in range(BATCH):
            await it.send(str(n))
        messages = await receive_all(it.queue, BATCH)
        receipts = [receipt(each) for each in messages]
        assert list(await it.queue.extend(receipts, 12.7)) == []
        assert list(await it.queue.delete(receipts)) == []
        assert await it.queue.depth() == QueueDepth(visible=0, in_flight=0)


async def test_an_outdated_receipt_raises_nothing(open_queue: OpenQueue) -> None:
    """A superseded receipt may be without effect; the newest one always settles."""
    async with open_queue(wait_seconds=0) as it:
        await it.send("a")
        (first,) = await receive_all(it.queue, 1)
        await it.queue.extend([receipt(first)], 0)
        (second,) = await receive_all(it.queue, 1)
        extended = await it.queue.extend([receipt(first)], 30)
        deleted = await it.queue.delete([receipt(first)])
        assert all(each.permanent for each in [*extended, *deleted])
        await it.queue.delete([receipt(second)])
        assert await it.queue.depth() == QueueDepth(visible=0, in_flight=0)


async def test_one_bad_receipt_hurts_no_other(open_queue: OpenQueue) -> None:
    """An entry that the queue refuses is returned as a lasting failure, the rest succeeds."""
    bad = Receipt("somebody-else", "not-a-receipt")
    async with open_queue(wait_seconds=0) as it:
        await it.send("a")
        (message,) = await receive_all(it.queue, 1)
        extended = await it.queue.extend([bad, receipt(message)], 30)
        deleted = await it.queue.delete([bad, receipt(message)])
        assert await it.queue.depth() == QueueDepth(visible=0, in_flight=0)
    assert [(each.message_id, each.permanent) for each in extended] == [("somebody-else", True)]
    assert [(each.message_id, each.permanent) for each in deleted] == [("somebody-else", True)]


async def test_a_deleted_message_cannot_be_extended(open_queue: OpenQueue) -> None:
    """Extending what is gone changes nothing, and is not worth repeating."""
    async with open_queue(wait_seconds=0) as it:
        await it.send("a")
        (message,) = await receive_all(it.queue, 1)
        await it.queue.delete([receipt(message)])
        failures = await it.queue.extend([receipt(message)], 0)
        assert all(each.permanent for each in failures)
        assert list(await it.queue.receive()) == []


async def test_dead_letters_carry_their_reason(open_queue: OpenQueue) -> None:
    """Refused messages are copied with stage, reason and detail, and stay until deleted."""
    async with open_queue(wait_seconds=0) as it:
        await it.send("no json 🌡")
        await it.send('{"pressure": "high"}')
        messages = await receive_all(it.queue, 2)
        letters = [
            DeadLetter(each, Rejected(Stage.DECODE, Reason.NOT_JSON, f"Zeile 1: {n} ü"))
            for n, each in enumerate(messages)
        ]
        assert list(await it.queue.dead_letter(letters)) == []
        found = await it.dead_letters()
        assert await it.queue.depth() == QueueDepth(visible=0, in_flight=2)
    assert sorted(found, key=lambda each: each.detail) == [
        Letter(each.body, "decode", "not-json", f"Zeile 1: {n} ü")
        for n, each in enumerate(messages)
    ]


async def test_large_letters_of_one_batch_all_arrive(open_queue: OpenQueue) -> None:
    """Ten letters that are too much for one request are sent in several."""
    async with open_queue(wait_seconds=0) as it:
        for n in range(BATCH):
            await it.send(f"{n}{'x' * 150_000}")
        messages = await receive_all(it.queue, BATCH)
        rejection = Rejected(Stage.WRITE, Reason.REFUSED_BY_INFLUXDB, "no")
        letters = [DeadLetter(each, rejection) for each in messages]
        assert list(await it.queue.dead_letter(letters)) == []
        found = await it.dead_letters()
    assert sorted(each.body for each in found) == sorted(each.body for each in messages)


async def test_without_entries_nothing_is_asked(open_queue: OpenQueue) -> None:
    """Empty batches succeed."""
    async with open_queue() as it:
        assert list(await it.queue.delete([])) == []
        assert list(await it.queue.extend([], 30)) == []
        assert list(await it.queue.dead_letter([])) == []


async def test_depth_counts_waiting_and_held(open_queue: OpenQueue) -> None:
    """What waits and what somebody works on are counted apart."""
    async with open_queue(wait_seconds=0) as it:
        for n in range(BATCH + 3):
            await it.send(str(n))
        held = len(await it.queue.receive())
        assert await it.queue.depth() == QueueDepth(visible=BATCH + 3 - held, in_flight=held)


async def test_calls_run_side_by_side(open_queue: OpenQueue) -> None:
    """Several receives and deletes at the same time settle everything once."""
    async with open_queue(wait_seconds=0) as it:
        sent = {await it.send(str(n)) for n in range(3 * BATCH)}
        answers = await asyncio.gather(*(it.queue.receive() for _ in range(4)))
        messages = {each.message_id: each for answer in answers for each in answer}
        for each in await receive_all(it.queue, len(sent) - len(messages)):
            messages[each.message_id] = each
        receipts = [receipt(each) for each in messages.values()]
        failures = await asyncio.gather(
            *(it.queue.delete(receipts[n : n + BATCH]) for n in range(0, len(receipts), BATCH))
        )
        assert [list(each) for each in failures] == [[], [], []]
        assert set(messages) == sent
        assert await it.queue.depth() == QueueDepth(visible=0, in_flight=0)

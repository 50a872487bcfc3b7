"""What the `LetterBox` port promises, kept by the fake and by SQS."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from contracts.emulators import Emulator, client, emulator_named, make_queue, unique

from ingestor.adapters.memory import MemoryLetters
from ingestor.adapters.sqs.dead_letters import open_dead_letters
from ingestor.console_ports import LetterBox, StoredLetter


@dataclass(slots=True, frozen=True)
class BoxUnderTest:
    """A box, how to put a letter into it, and what came to the service's queue."""

    box: LetterBox
    put: Callable[[str, dict[str, str]], Awaitable[object]]
    sent: Callable[[], Awaitable[list[str]]]


OpenBox = Callable[[], AbstractAsyncContextManager[BoxUnderTest]]


@asynccontextmanager
async def memory_box() -> AsyncIterator[BoxUnderTest]:
    """The shipped fake."""
    box = MemoryLetters()

    async def put(body: str, attributes: dict[str, str]) -> object:
        return box.put(body, attributes)

    async def sent() -> list[str]:
        return box.sent

    yield BoxUnderTest(box, put, sent)


def sqs_box(emulator: Emulator) -> OpenBox:
    """The adapter in front of an emulator."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[BoxUnderTest]:
        async with client(emulator, "sqs") as sqs:
            queue = await make_queue(sqs, unique("readings"))
            letters = await make_queue(sqs, unique("letters"))
            opening = open_dead_letters(
                queue_url=queue,
                dead_letter_queue_url=letters,
                endpoint_url=emulator.url,
                region_name=emulator.region,
            )

            async def put(body: str, attributes: dict[str, str]) -> object:
                typed = {
                    name: {"DataType": "String", "StringValue": text}
                    for name, text in attributes.items()
                }
                return await sqs.send_message(
                    QueueUrl=letters, MessageBody=body, MessageAttributes=typed
                )

            async def sent() -> list[str]:
                answer = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
                return [each["Body"] for each in answer.get("Messages", [])]

            async with opening as box:
                yield BoxUnderTest(box, put, sent)

    return opened


@pytest.fixture(
    params=[
        "memory",
        pytest.param("moto", marks=pytest.mark.servers),
        pytest.param("ministack", marks=pytest.mark.servers),
    ]
)
def open_it(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OpenBox:
    """Makes boxes of each implementation in turn."""
    if request.param == "memory":
        return memory_box
    emulator = emulator_named(request.param, request, monkeypatch)
    return sqs_box(emulator)


async def take_all(box: LetterBox) -> list[StoredLetter]:
    """Everything that can be taken; two empty answers in a row are the end."""
    found: list[StoredLetter] = []
    empty = 0
    while empty < 2:
        letters = await box.take()
        empty = 0 if letters else empty + 1
        found += letters
    return found


async def test_what_is_taken_is_out_of_sight_until_it_is_put_back(open_it: OpenBox) -> None:
    """Bodies and attributes come as they were; nobody takes them twice meanwhile."""
    async with open_it() as it:
        for n in range(12):
            await it.put(f"<b>{n}", {"reason": "bad-field", "detail": "größe"})
        assert await it.box.waiting() == 12
        first = await take_all(it.box)
        again = await take_all(it.box)
        for n in range(0, 12, 10):
            assert len(await it.box.put_back(first[n : n + 10])) == len(first[n : n + 10])
        second = await take_all(it.box)
    assert sorted(each.body for each in first) == sorted(f"<b>{n}" for n in range(12))
    assert first[0].attributes == {"reason": "bad-field", "detail": "größe"}
    assert again == []
    assert {each.message_id for each in second} == {each.message_id for each in first}


async def test_sent_again_and_removed(open_it: OpenBox) -> None:
    """What is sent is in the service's queue; what is removed is gone."""
    async with open_it() as it:
        for n in range(3):
            await it.put(f"letter {n}", {})
        letters = await take_all(it.box)
        names = {each.message_id for each in letters}
        assert await it.box.send(letters, [f"restored {each.body}" for each in letters]) == names
        assert await it.box.remove(letters) == names
        sent: list[str] = []
        while len(sent) < 3:
            sent += await it.sent()
        assert await it.box.waiting() == 0
        assert await take_all(it.box) == []
        assert await it.box.remove([]) == set()
    assert sorted(sent) == [f"restored letter {n}" for n in range(3)]

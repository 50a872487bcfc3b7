"""What a chaos run sends."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.chaos.load import MOST_WAITING, Load, Poison
from loadtest.devices import make_devices
from loadtest.ledger.book import Book
from loadtest.records import RECORDS
from loadtest.servers import ServerError


class Queue:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.failed: list[dict[str, str]] = []

    async def send_message_batch(self, **asked: Any) -> dict[str, Any]:
        """As the client of SQS."""
        self.bodies += [each["MessageBody"] for each in asked["Entries"]]
        return {"Failed": self.failed}


def make_load(book: Book, queue: Queue, *, messages: int = 5_000, seed: int = 1) -> Load:
    """A load of fifty devices."""
    return Load(
        sqs=queue,
        queue_url="q",
        devices=make_devices(50, RECORDS, seed=seed),
        book=book,
        messages=messages,
        seed=seed,
    )


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """An empty ledger."""
    with Book.create(tmp_path / "ledger.sqlite", {}) as made:
        yield made


async def send(book: Book, seed: int = 1) -> tuple[list[str], Load]:
    """All of a load."""
    queue = Queue()
    load = make_load(book, queue, seed=seed)
    await load.allow(load.messages)
    await load.run()
    return queue.bodies, load


def without_time(body: str) -> object:
    """What a message says, but for when."""
    try:
        message = json.loads(body)
    except ValueError:
        return body
    return {**message, "sensordatetime": ""} if isinstance(message, dict) else message


async def test_the_same_seed_sends_the_same(book: Book) -> None:
    """All but the readings' times depends on the seed alone."""
    first, _ = await send(book)
    second, _ = await send(book)
    other, _ = await send(book, seed=2)

    assert [*map(without_time, first)] == [*map(without_time, second)]
    assert [*map(without_time, first)] != [*map(without_time, other)]


async def test_poison_and_duplicates_are_among_it(book: Book) -> None:
    """The ledger has every good reading once; poison and second copies are apart."""
    bodies, load = await send(book)

    poison = load.poison.expected
    good = Counter(body for body in bodies if body not in poison)
    assert len(bodies) == load.sent == 5_000
    assert len(good) == book.count("acknowledged") == book.count()
    assert 20 < len(poison) < 100
    assert set(poison.values()) == {
        "decode not-json",
        "decode not-an-object",
        "map bad-field",
        "map bad-tag",
        "write field-type-conflict",
    }
    assert 20 < sum(count - 1 for count in good.values()) < 100


async def test_nothing_is_sent_beyond_what_is_allowed(book: Book) -> None:
    """The load stops at each bound until the next one is given, and beyond the end on request."""
    queue = Queue()
    load = make_load(book, queue, messages=95)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(load.run(), name="load")
        await load.allow(42)
        await load.reached(42)
        assert len(queue.bodies) == 42
        assert not run.done()
        await load.allow(1_000)
    assert len(queue.bodies) == load.sent == 95
    await load.reached(10_000)

    await load.send_more()
    assert len(queue.bodies) == load.sent == 105


async def test_a_long_queue_makes_it_wait(book: Book) -> None:
    """While too many wait in the queue nothing is sent."""
    queue = Queue()
    load = make_load(book, queue, messages=10)
    load.waiting = MOST_WAITING + 1
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(), name="load")
        await load.allow(10)
        await asyncio.sleep(0.05)
        assert queue.bodies == []
        load.waiting = MOST_WAITING


async def test_what_the_queue_does_not_take_ends_the_run(book: Book) -> None:
    """A message that was not sent must not be missed later: the run fails at once."""
    queue = Queue()
    queue.failed = [{"Id": "0"}]
    load = make_load(book, queue)

    with pytest.raises(ServerError, match="does not take messages"):
        await load.send_more()


def test_dead_letters_are_compared_with_what_was_expected() -> None:
    """A letter counts once, its reason is looked at, and one that nobody expected is refused."""
    poison = Poison({"a": "decode not-json", "b": "map bad-tag"})

    assert poison.missing == 2
    assert poison.take("a", "decode not-json: unexpected end")
    assert poison.take("a", "decode not-json: unexpected end")
    assert (poison.missing, poison.wrong_reasons) == (1, [])
    assert poison.take("b", "map bad-field")
    assert not poison.take("good", "map bad-tag")
    assert poison.missing == 0
    assert poison.wrong_reasons == ["map bad-tag was expected, not map bad-field"]

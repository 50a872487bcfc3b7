"""What is sent: readings of many devices, duplicates of some, and poison now and then."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from loadtest.devices import Device
from loadtest.ledger.book import Book, Entry
from loadtest.ledger.tracker import entry
from loadtest.servers import ServerError

MOST_WAITING = 3_000
"""Sending pauses while more wait in the queue, so that what is sent is received soon."""

_BATCH = 10
_POISON_SHARE = 0.01
_DUPLICATE_SHARE = 0.01
_SENDERS = 3
_PAUSE_SECONDS = 0.02


def _broken(n: int) -> str:
    return f'{{"pressure": {n}, "broken'


def _no_object(n: int) -> str:
    return f"[{n}]"


def _bad_field(n: int) -> str:
    return json.dumps({"pressure": "high", "deviceid": "p", "clientid": "c", "sequence": n})


def _bad_tag(n: int) -> str:
    return json.dumps({"pressure": 1, "deviceid": "a\nb", "clientid": "c", "sequence": n})


def _conflicting(n: int) -> str:
    return json.dumps({"pressure": 1, "alarm": n, "deviceid": "p", "clientid": "c"})


_POISON: tuple[tuple[Callable[[int], str], str], ...] = (
    (_broken, "decode not-json"),
    (_no_object, "decode not-an-object"),
    (_bad_field, "map bad-field"),
    (_bad_tag, "map bad-tag"),
    (_conflicting, "write field-type-conflict"),
)


@dataclass(slots=True)
class Poison:
    """Messages that must be dead-lettered: bodies and how the reason of each begins."""

    expected: dict[str, str] = field(default_factory=dict)
    letters: Counter[str] = field(default_factory=Counter)
    wrong_reasons: list[str] = field(default_factory=list)

    def take(self, body: str, why: str) -> bool:
        """Whether this dead letter was expected."""
        reason = self.expected.get(body)
        if reason is None:
            return False
        self.letters[body] += 1
        if not why.startswith(reason):
            self.wrong_reasons.append(f"{reason} was expected, not {why}")
        return True

    @property
    def missing(self) -> int:
        """How many were sent and not dead-lettered."""
        return len(self.expected) - len(self.letters)


class Load:
    """Sends so many messages, as far as it is allowed to, in batches of ten.

    Which messages are sent depends on `seed` alone; only the readings' times differ.
    """

    def __init__(
        self,
        *,
        sqs: Any,
        queue_url: str,
        devices: Sequence[Device],
        book: Book,
        messages: int,
        seed: int,
    ) -> None:
        self.messages = messages
        self.sent = 0
        self.poison = Poison()
        self.waiting = 0
        """How many messages wait in the queue; to be kept up to date from outside."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._devices = devices
        self._book = book
        self._made_entries: list[Entry] = []
        self._random = Random(f"load:{seed}")
        self._bodies = self._make_bodies()
        self._made = 0
        self._allowed = 0
        self._changed = asyncio.Condition()

    async def allow(self, most: int) -> None:
        """Let it send up to this number of messages, in all."""
        async with self._changed:
            self._allowed = max(self._allowed, most)
            self._changed.notify_all()

    async def reached(self, number: int) -> None:
        """Return when so many messages have been sent."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.sent >= min(number, self.messages))

    async def run(self) -> None:
        """Send them all."""
        async with asyncio.TaskGroup() as group:
            for n in range(_SENDERS):
                group.create_task(self._send(), name=f"send-{n}")

    async def send_more(self) -> None:
        """Send another batch beyond the number that was asked for, poison among it.

        So that there are dead letters for what befalls their calls.
        """
        make, reason = _POISON[self.sent // _BATCH % len(_POISON)]
        poison = make(-self.sent)
        self.poison.expected[poison] = reason
        batch = [*self._next(_BATCH - 1), poison]
        await self._send_batch(batch)
        self.sent += len(batch)

    async def _send(self) -> None:
        while self._made < self.messages:
            async with self._changed:
                await self._changed.wait_for(
                    lambda: self._made < self._allowed or self._made >= self.messages
                )
                number = min(_BATCH, self._allowed - self._made, self.messages - self._made)
                self._made += number
            batch = self._next(number)
            while self.waiting > MOST_WAITING:  # noqa: ASYNC110 - MiniStack sets no event
                await asyncio.sleep(_PAUSE_SECONDS)
            if batch:
                await self._send_batch(batch)
            async with self._changed:
                self.sent += len(batch)
                self._changed.notify_all()

    def _next(self, number: int) -> list[str]:
        """So many bodies; the ledger has what they say, because they will be sent."""
        bodies = list(islice(self._bodies, number))
        self._book.enter(self._made_entries, acknowledged=True)
        self._made_entries.clear()
        return bodies

    async def _send_batch(self, bodies: list[str]) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        try:
            answer = await self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as exc:
            raise ServerError(f"MiniStack does not take messages: {exc}") from exc
        if answer.get("Failed"):
            raise ServerError(f"MiniStack does not take messages: {answer['Failed']}")

    def _make_bodies(self) -> Iterator[str]:
        """Endless."""
        random = self._random
        numbers = range(len(self._devices))
        number = 0
        latest = ""
        while True:
            number += 1
            chance = random.random()
            if chance < _POISON_SHARE:
                make, reason = random.choice(_POISON)
                body = make(number)
                self.poison.expected[body] = reason
            elif chance < _POISON_SHARE + _DUPLICATE_SHARE and latest:
                body = latest
            else:
                chosen = random.choice(numbers)
                device = self._devices[chosen]
                reading = device.read(time.time())
                self._made_entries.append(entry(chosen, device, reading))
                body = latest = device.payload(reading).decode()
            yield body

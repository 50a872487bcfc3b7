"""What operators do with dead letters: look, replay, purge."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from ingestor.console_ports import LetterBox, StoredLetter
from ingestor.core.letters import NotRestorable, restore
from ingestor.ports import BATCH, Unavailable

EMPTY_TIMES = 2
"""So many empty answers in a row mean that there is nothing more: one alone can be chance."""
CALL_BYTES = 200_000
"""Bodies of one call: SQS takes 256 KiB, or one that is larger alone."""

BY_SQS = "moved-by-sqs"
"""The reason of a message that came here without one: it was received too often."""
BY_RULE = "not-sent-by-the-rule"


@dataclass(slots=True, frozen=True)
class Choice:
    """Which letters: those of one `reason` or `stage` where given, some by id, at most `limit`."""

    reason: str | None = None
    limit: int | None = None
    message_ids: frozenset[str] | None = None
    stage: str | None = None


@dataclass(slots=True)
class Replayed:
    """How many were chosen, sent again (and deleted here), and could not be restored."""

    chosen: int = 0
    sent: int = 0
    not_restorable: int = 0
    notes: list[str] = field(default_factory=list)


def reason_of(letter: StoredLetter) -> str:
    """Why it is here."""
    if "base64OriginalPayload" in letter.body and "reason" not in letter.attributes:
        return BY_RULE
    return letter.attributes.get("reason", BY_SQS)


async def look(box: LetterBox, choice: Choice) -> list[StoredLetter]:
    """The chosen letters; all stay where they are."""
    found = []
    async with Walk(box, choice) as walk:
        async for letters in walk.batches():
            found += letters
    return found


async def purge(box: LetterBox, choice: Choice) -> int:
    """Delete the chosen letters for good; how many."""
    result = Replayed()
    async with Walk(box, choice) as walk:
        async for letters in walk.batches():
            await purge_these(box, walk, letters, result)
    return result.sent


async def purge_these(
    box: LetterBox, walk: "Walk", letters: Sequence[StoredLetter], result: Replayed
) -> None:
    """Delete up to ten letters of a walk; those that are gone count as `sent`."""
    gone = await box.remove(letters)
    walk.gone(gone)
    result.chosen += len(letters)
    result.sent += len(gone)


async def replay(box: LetterBox, choice: Choice, *, per_second: float) -> Replayed:
    """Send the chosen letters to the service again, and delete each here after that.

    Killed in the middle, it has sent some letters that are still here: replayed once more, they
    overwrite themselves. Letters that come back while it runs are left alone.
    """
    result = Replayed()
    async with Walk(box, choice) as walk:
        async for letters in walk.batches():
            await replay_these(box, walk, letters, result)
            await asyncio.sleep(len(letters) / per_second)
    return result


async def replay_these(
    box: LetterBox, walk: "Walk", letters: Sequence[StoredLetter], result: Replayed
) -> None:
    """Send up to ten letters of a walk again, and delete each here after that."""
    result.chosen += len(letters)
    for part, bodies in _calls(letters, result):
        sent = await box.send(part, bodies)
        gone = await box.remove([each for each in part if each.message_id in sent])
        walk.gone(gone)
        result.sent += len(sent)


class Walk:
    """Goes once through all letters that were there at its begin, as an async context manager.

    Letters are invisible to others while they are looked at; at the end those that are still there
    are visible again.
    """

    def __init__(self, box: LetterBox, choice: Choice) -> None:
        self._box = box
        self._choice = choice
        self._held: dict[str, StoredLetter] = {}
        self._begun_ms = time.time_ns() // 1_000_000

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        held = list(self._held.values())
        with contextlib.suppress(Unavailable):  # then they are visible again a little later
            for n in range(0, len(held), BATCH):
                await self._box.put_back(held[n : n + BATCH])

    def gone(self, message_ids: set[str]) -> None:
        """These are deleted."""
        for message_id in message_ids:
            self._held.pop(message_id, None)

    async def batches(self) -> AsyncIterator[list[StoredLetter]]:
        """The chosen letters, up to ten at a time; never an empty list."""
        left = self._choice.limit
        empty = 0
        seen: set[str] = set()
        while empty < EMPTY_TIMES and left != 0:
            letters = await self._box.take()
            fresh = [each for each in letters if each.message_id not in seen]
            empty = 0 if fresh else empty + 1
            seen.update(each.message_id for each in fresh)
            self._held.update((each.message_id, each) for each in letters)
            chosen = [each for each in fresh if self._is_chosen(each)][:left]
            if left is not None:
                left -= len(chosen)
            if chosen:
                yield chosen

    def _is_chosen(self, letter: StoredLetter) -> bool:
        choice = self._choice
        return (
            letter.sent_at_ms <= self._begun_ms
            and (choice.message_ids is None or letter.message_id in choice.message_ids)
            and choice.stage in {None, letter.attributes.get("stage")}
            and choice.reason in {None, reason_of(letter)}
        )


def _calls(
    letters: Sequence[StoredLetter], result: Replayed
) -> list[tuple[list[StoredLetter], list[str]]]:
    """Letters with their restored bodies, in portions that fit into a call."""
    calls: list[tuple[list[StoredLetter], list[str]]] = []
    size = 0
    for letter in letters:
        try:
            body = restore(letter.body, letter.attributes, sent_at_ms=letter.sent_at_ms)
        except NotRestorable as error:
            result.not_restorable += 1
            result.notes.append(f"{letter.message_id} stays: {error}")
            continue
        length = len(body.encode())
        if not calls or size + length > CALL_BYTES:
            calls.append(([], []))
            size = 0
        calls[-1][0].append(letter)
        calls[-1][1].append(body)
        size += length
    return calls

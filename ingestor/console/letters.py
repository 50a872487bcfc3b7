"""Dead letters: what they are, what would become of them now, replay and purge.

SQS has no way of looking: letters are received, and put back. So one look at a time, over a bounded
number, and what a look found serves for some seconds more. Whoever confirms a replay or purge
confirms these very letters: the confirmation is a digest of their ids, so any task can check it.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from ingestor.console import model
from ingestor.console.calls import Call
from ingestor.console.problems import Refuse
from ingestor.console.records import Audit
from ingestor.console.redrive import Choice, Replayed, Walk, purge_these, reason_of, replay_these
from ingestor.console.trying import Trying, mark_of
from ingestor.console_ports import LetterBox, StoredLetter
from ingestor.core.hints import HINTS
from ingestor.core.letters import NotRestorable, restore
from ingestor.core.message import Reason
from ingestor.ports import BATCH, Clock, Unavailable

LOOK_AT = 500
"""Most letters of one look, replay or purge."""
LOOK_SECONDS = 12.0
ACT_SECONDS = 24.0
FRESH_SECONDS = 5.0
SAMPLES = 3
SHOWN_CHARACTERS = 256 * 1024

OpenBox = Callable[[], AbstractAsyncContextManager[LetterBox]]


class Letters:
    """Answers about dead letters, replays and purges them."""

    def __init__(self, open_box: OpenBox, trying: Trying, clock: Clock, audit: Audit) -> None:
        self._open_box = open_box
        self._trying = trying
        self._clock = clock
        self._audit = audit
        self._walking = asyncio.Lock()
        self._seen: tuple[float, list[StoredLetter], bool] | None = None

    async def waiting(self) -> int:
        """How many there are, approximately."""
        async with self._open_box() as box:
            return await box.waiting()

    async def groups(self, _: Call) -> model.Letters:
        """All letters by stage and reason."""
        waiting = await self.waiting()
        found, complete = await self._look()
        groups: defaultdict[tuple[str | None, str], list[StoredLetter]] = defaultdict(list)
        for letter in found:
            groups[letter.attributes.get("stage"), reason_of(letter)].append(letter)
        ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
        return model.Letters(
            waiting=max(waiting, len(found)),
            looked_at=len(found),
            complete=complete,
            groups=[_group(*key, letters) for key, letters in ordered],
        )

    async def letter(self, call: Call) -> model.Letter:
        """One letter with everything that is known of it."""
        wanted = call.needed("id")
        found, _ = await self._look()
        letter = next((each for each in found if each.message_id == wanted), None)
        if letter is None:
            raise Refuse(404, "There is no such letter (any more), or it is out for a while.")
        payload: str | None = None
        problem: str | None = None
        try:
            payload = restore(letter.body, letter.attributes, sent_at_ms=letter.sent_at_ms)
        except NotRestorable as error:
            problem = str(error)
        reason = reason_of(letter)
        detail = letter.attributes.get("detail", "")
        shown = None if payload is None else payload[:SHOWN_CHARACTERS]
        return model.Letter(
            id=letter.message_id,
            arrived_ms=letter.sent_at_ms,
            stage=letter.attributes.get("stage"),
            reason=reason,
            detail=detail,
            hint=hint_of(reason),
            attributes=dict(letter.attributes),
            payload=shown,
            truncated=shown != payload,
            not_restorable=problem,
            mark=None if shown is None else mark_of(shown, detail),
            now=None if payload is None else await self._trying.now(payload, letter.sent_at_ms),
        )

    async def count(self, call: Call) -> model.Counted:
        """How many are selected, and what confirms exactly these."""
        async with self._selected(call.body) as (_, _, chosen, more):
            confirmation = confirmation_of(call.body, chosen, more=more)
            return model.Counted(count=len(chosen), more=more, confirmation=confirmation)

    async def replay(self, call: Call) -> model.Done:
        """Send the confirmed letters to the service again."""
        return await self._act(call, replay=True)

    async def purge(self, call: Call) -> model.Done:
        """Delete the confirmed letters."""
        return await self._act(call, replay=False)

    async def _act(self, call: Call, *, replay: bool) -> model.Done:
        body: model.Confirmed = call.body
        result = Replayed()
        out_of_time = False
        async with self._selected(body.selection) as (box, walk, chosen, more):
            confirmation = confirmation_of(body.selection, chosen, more=more)
            if (len(chosen), confirmation) != (body.count, body.confirmation):
                raise Refuse(
                    409,
                    f"{len(chosen)} letters are selected now, and not the ones that were counted.",
                    kind="urn:ingestor:other-letters",
                    count=len(chosen),
                    confirmation=confirmation,
                )
            work = replay_these if replay else purge_these
            try:
                async with asyncio.timeout(ACT_SECONDS):
                    for n in range(0, len(chosen), BATCH):
                        await work(box, walk, chosen[n : n + BATCH], result)
            except TimeoutError:
                out_of_time = True
            except Unavailable as error:
                result.notes.append(f"Not all is done: {error.reason}")
            finally:
                self._seen = None
                self._audit(call, selected=len(chosen), done=result.sent)
        if out_of_time:
            result.notes.append("There was no time for the rest: count and confirm again.")
        left = len(chosen) - result.sent
        return model.Done(
            selected=len(chosen), done=result.sent, left=left, notes=result.notes[:100]
        )

    async def _look(self) -> tuple[list[StoredLetter], bool]:
        async with self._walking:  # two looks at once would hide letters from one another
            now = self._clock.monotonic()
            if self._seen is None or now - self._seen[0] > FRESH_SECONDS:
                async with self._open_box() as box, Walk(box, Choice(limit=LOOK_AT)) as walk:
                    found, complete = await _gather(walk, LOOK_AT)
                self._seen = self._clock.monotonic(), found, complete
            return self._seen[1], self._seen[2]

    @asynccontextmanager
    async def _selected(
        self, selection: model.Selection
    ) -> AsyncIterator[tuple[LetterBox, Walk, list[StoredLetter], bool]]:
        """The selected letters, held until the end of the block, and whether there are more."""
        choice = Choice(
            reason=selection.reason,
            stage=selection.stage,
            message_ids=None if selection.ids is None else frozenset(selection.ids),
        )
        async with self._walking, self._open_box() as box, Walk(box, choice) as walk:
            found, complete = await _gather(walk, LOOK_AT)
            # The same letters make the same selection, in whatever order they come.
            found.sort(key=lambda each: (each.sent_at_ms, each.message_id))
            yield box, walk, found, not complete


async def _gather(walk: Walk, most: int) -> tuple[list[StoredLetter], bool]:
    """The letters of a walk, and whether these are all."""
    found: list[StoredLetter] = []
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            async for letters in walk.batches():
                found += letters
                if len(found) >= most:
                    return found[:most], False
    except TimeoutError:
        return found, False
    return found, True


def confirmation_of(
    selection: model.Selection, letters: Sequence[StoredLetter], *, more: bool
) -> str:
    """What stands for exactly these letters.

    Of more than can be selected at once SQS hands out others each time: then it stands for the
    selection, and whoever confirms it confirms so many of these.
    """
    names = sorted(each.message_id for each in letters)
    if more:
        names = ["any of", selection.stage or "", selection.reason or "", str(len(letters))]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]


def hint_of(reason: str) -> str | None:
    """What to do about a reason, where it is one of ours."""
    try:
        return HINTS[Reason(reason)]
    except ValueError:
        return None


def _group(stage: str | None, reason: str, letters: Sequence[StoredLetter]) -> model.LetterGroup:
    arrived = [each.sent_at_ms for each in letters]
    return model.LetterGroup(
        stage=stage,
        reason=reason,
        count=len(letters),
        oldest_ms=min(arrived),
        newest_ms=max(arrived),
        hint=hint_of(reason),
        samples=[
            model.LetterSummary(
                id=each.message_id,
                arrived_ms=each.sent_at_ms,
                detail=each.attributes.get("detail", ""),
                topic=each.attributes.get("topic"),
            )
            for each in letters[:SAMPLES]
        ],
    )

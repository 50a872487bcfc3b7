"""Metadata records kept in memory for a while, in front of the store that has them all."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

from cachetools import TTLCache

from ingestor.core.metadata import Known, Metadata
from ingestor.ports import Clock, MetadataStore, Unavailable

KEYS_PER_CALL = 100
"""Most keys of one look-up: what one BatchGetItem takes."""
CALLS_AT_ONCE = 4
JITTER = 0.1
"""Records live up to a tenth longer or shorter, so that a fleet's do not all expire together."""
GRACE_SECONDS = 5.0
"""After a failed look-up, how long an outdated record is used before the store is asked again."""


class _Entry:
    """What is known of one key, and until when it may be used."""

    __slots__ = ("fresh_until", "record", "stale_until")

    def __init__(self, record: Metadata | None, fresh_until: float, stale_until: float) -> None:
        self.record = record
        self.fresh_until = fresh_until
        self.stale_until = stale_until


class _Call:
    """One look-up in the store: first open for further keys, then under way.

    Its task lives as long as somebody waits for it, and no longer.
    """

    __slots__ = ("answers", "forgotten", "keys", "task", "waiters")

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.forgotten: set[str] = set()
        self.answers: Mapping[str, Metadata | None] = {}
        self.waiters = 0
        self.task: asyncio.Task[None]


class CachedMetadata:
    """A `MetadataStore` that answers from memory where it can.

    Misses of the same moment, and misses that arrive while all calls are busy, go to the store
    together, each key in one look-up at a time; cancelling one of those who wait for it leaves the
    others their answer. What the store does not answer for is never kept. An outdated record is
    still used while the store does not answer; "there is none" is not, because a record may have
    been made since.

    The TTLCache drops what can be of no further use; whether an entry is fresh is decided here,
    because its age limit has jitter and depends on whether there is a record. A dictionary before
    it has the records that are fresh for another second, and its answers do not count as use. So
    once a second nothing is left in it of a cache that is full, and of any other only what will
    still be fresh a second later: as long as there is room, nobody needs to know what was used.

    Args:
        store: Whom to ask.
        capacity: Most keys kept; the least recently used goes first.
        ttl_seconds: How old a record may get, give or take a tenth.
        negative_ttl_seconds: The same for the knowledge that there is none.
        stale_seconds: How long after that a record may be used while the store does not answer.
        clock: What ages are measured on.
        random: Where jitter comes from.

    Attributes:
        negative_hits: Keys answered from memory with "there is none".
        misses: Keys that had to be looked up; `joined` of them waited for somebody else's look-up.
        stale: Misses that were answered with an outdated record.
    """

    def __init__(
        self,
        store: MetadataStore,
        *,
        capacity: int,
        ttl_seconds: float,
        negative_ttl_seconds: float,
        stale_seconds: float,
        clock: Clock,
        random: Random,
    ) -> None:
        self.negative_hits = 0
        self.misses = 0
        self.joined = 0
        self.stale = 0
        self._store = store
        self._clock = clock
        self._random = random
        self._ttl_seconds = ttl_seconds
        self._negative_ttl_seconds = negative_ttl_seconds
        self._stale_seconds = stale_seconds
        longest = max(ttl_seconds, negative_ttl_seconds) * (1 + JITTER) + stale_seconds
        self._entries: TTLCache[str, _Entry] = TTLCache(capacity, longest, timer=clock.monotonic)
        self._hits = 0
        # To find a record here takes a tenth of the time.
        self._at_hand = Known(self._look)
        self._at_hand_until = 0
        self._ending: dict[int, list[str]] = {}  # keys, by the second within which they end
        self._now = 0.0
        self._calls: dict[str, _Call] = {}
        self._open: _Call | None = None
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)

    @property
    def hits(self) -> int:
        """Keys answered from memory with a record."""
        return self._hits + self._at_hand.used

    @property
    def size(self) -> int:
        """How many keys are kept."""
        return len(self._entries)

    @property
    def looking_up(self) -> int:
        """How many keys are being looked up."""
        return len(self._calls)

    def at_hand(self) -> Known:
        """The records in memory that may be used now, until the next call."""
        self._now = now = self._clock.monotonic()
        if now >= self._at_hand_until:
            self._begin_second(int(now))
        return self._at_hand

    async def fetch(self, keys: Sequence[str]) -> dict[str, Metadata | None]:
        """See MetadataStore. Raises Unavailable when neither memory nor store have an answer."""
        answers: dict[str, Metadata | None] = {}
        missing: list[str] = []
        negative = 0
        known = self.at_hand()
        for key in keys:
            record = known.get(key)
            if record is None:
                entry = self._fresh(key)
                if entry is None:
                    missing.append(key)
                    continue
                record = self._used(key, entry)
            answers[key] = record
            negative += record is None
        self.negative_hits += negative
        self._hits += len(answers) - negative
        if missing:
            self.misses += len(missing)
            await self._look_up(missing, answers)
        return answers

    def _begin_second(self, second: int) -> None:
        if len(self._entries) >= self._entries.maxsize:
            self._at_hand.clear()
            self._ending.clear()
        elif self._ending:
            for ended in range(self._at_hand_until, second + 1):
                for key in self._ending.pop(ended, ()):
                    self._at_hand.pop(key, None)
        self._at_hand_until = second + 1

    def _fresh(self, key: str) -> _Entry | None:
        """What memory knows of a key, if it may be used now."""
        try:
            entry = self._entries[key]
        except KeyError:
            return None
        return entry if self._now < entry.fresh_until else None

    def _look(self, key: str) -> Metadata | None:
        """The record of a key that is not at hand yet, if it is in memory."""
        entry = self._fresh(key)
        return None if entry is None else self._used(key, entry)

    def _used(self, key: str, entry: _Entry) -> Metadata | None:
        """The record of an entry, at hand from now on where it stays fresh for this second."""
        record = entry.record
        ends = int(entry.fresh_until)
        if record is not None and ends >= self._at_hand_until:
            self._at_hand[key] = record
            self._ending.setdefault(ends, []).append(key)
        return record

    def forget(self, keys: Iterable[str]) -> int:
        """Drop what is known of these keys, since it has changed; how many were known.

        What a look-up under way brings of them is answered to those who wait, and not kept.
        """
        dropped = 0
        for key in keys:
            self._at_hand.pop(key, None)
            dropped += self._entries.pop(key, None) is not None
            call = self._calls.pop(key, None)
            if call is not None:
                call.forgotten.add(key)
        return dropped

    async def _look_up(self, keys: list[str], answers: dict[str, Metadata | None]) -> None:
        """Add what the store, or else an outdated record, says of `keys`."""
        calls = [self._call_for(key) for key in keys]
        await _wait_for(set(calls), abandon=self._retire)
        error: Unavailable | None = None
        for key, call in zip(keys, calls, strict=True):
            if key in call.answers:
                answers[key] = call.answers[key]
                continue
            error = _error(call.task) or error
            record = self._outdated(key)
            if record is not None:
                answers[key] = record
        if error is not None and not answers:
            raise error

    def _call_for(self, key: str) -> _Call:
        """The look-up of a key: the one under way, or the one that collects keys."""
        call = self._calls.get(key)
        if call is not None:
            self.joined += 1
            return call
        call = self._open
        if call is None or len(call.keys) >= KEYS_PER_CALL:
            call = self._open = _Call()
            call.task = asyncio.create_task(self._run(call), name="metadata-look-up")
        call.keys.append(key)
        self._calls[key] = call
        return call

    async def _run(self, call: _Call) -> None:
        try:
            # One turn of the loop, so that the other tasks that run in it can add their keys.
            await asyncio.sleep(0)
            async with self._slots:
                if self._open is call:
                    self._open = None
                answers = await self._store.fetch(tuple(call.keys))
            call.answers = {
                key: answers[key] if key in call.forgotten else self._keep(key, answers[key])
                for key in answers
            }
        finally:
            self._retire(call)

    def _retire(self, call: _Call) -> None:
        """Nobody can join the call any more."""
        if self._open is call:
            self._open = None
        for key in call.keys:
            if self._calls.get(key) is call:
                del self._calls[key]

    def _keep(self, key: str, record: Metadata | None) -> Metadata | None:
        """Remember an answer; returns the record to use."""
        old = self._entries.get(key)
        if old is not None and old.record is not None and record is not None:
            # The old object is worth keeping: the encoder knows its escaped form.
            unchanged = old.record.attributes == record.attributes
            record = old.record if unchanged else record
        ttl = self._negative_ttl_seconds if record is None else self._ttl_seconds
        ttl *= 1 + JITTER * (2 * self._random.random() - 1)
        fresh_until = self._clock.monotonic() + ttl
        stale_until = fresh_until if record is None else fresh_until + self._stale_seconds
        self._entries[key] = _Entry(record, fresh_until, stale_until)
        self._at_hand.pop(key, None)
        return record

    def _outdated(self, key: str) -> Metadata | None:
        """The record to use although the store did not answer, if there is one."""
        entry = self._entries.get(key)
        now = self._clock.monotonic()
        if entry is None or entry.record is None or now >= entry.stale_until:
            return None
        self.stale += 1
        # Otherwise every reading of an outage would wait for another look-up to fail.
        entry.fresh_until = max(entry.fresh_until, min(now + GRACE_SECONDS, entry.stale_until))
        return entry.record


async def _wait_for(calls: set[_Call], *, abandon: Callable[[_Call], None]) -> None:
    """Return when all calls have ended. Cancelled, it ends those that nobody else waits for."""
    for call in calls:
        call.waiters += 1
    try:
        await asyncio.wait([call.task for call in calls])
    finally:
        unwanted = []
        for call in calls:
            call.waiters -= 1
            if not call.waiters and not call.task.done():
                abandon(call)
                call.task.cancel()
                unwanted.append(call.task)
        await asyncio.gather(*unwanted, return_exceptions=True)


def _error(task: asyncio.Task[None]) -> Unavailable | None:
    """Why an ended look-up has no answers; anything unexpected is raised."""
    if task.cancelled():  # by the end of the event loop: we only cancel what nobody waits for
        return Unavailable("the look-up was cancelled")
    failure = task.exception()
    if failure is None or isinstance(failure, Unavailable):
        return failure
    raise failure

"""The whole pipeline under any sequence of events, on a queue that behaves as badly as SQS may."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.rig import KNOWN, Rig, rig

from ingestor.adapters.memory import Fault, MemoryQueue
from ingestor.core.settlement import State
from ingestor.ports import Failure, Receipt, Unavailable

VISIBILITY = 30.0
LATE = "late"
"""A metadata key, and a kind of messages, whose record comes at the end."""

MAPPING = """
[[routes]]
measurement = "m"
[routes.payload]
readings = "lines"
[routes.tags]
line = { path = "name" }
[routes.fields]
v = { path = "v", type = "float" }
[routes.metadata]
key = "key"
missing = "write"
[routes.time]
paths = ["t"]
past_days = 36500
"""

DOWN = Unavailable("it is down")
CALLS = ("receive", "delete", "extend", "dead_letter", "depth")
KINDS = {
    "good": ("good",),
    "of three lines": ("good", "good", "good"),
    "refused": ("bad",),
    "of three lines, the middle one refused": ("good", "bad", "good"),
    "not JSON": (),
    LATE: ("good", "good"),
}
"""Kinds of messages, and which of their lines InfluxDB refuses."""


class Queue(MemoryQueue):
    """Whose deletes can have no effect, and which notes when an extension failed."""

    fake_deletes = 0
    extensions_failed = 0

    async def delete(self, receipts: Sequence[Receipt]) -> list[Failure]:
        """See Queue."""
        if self.fake_deletes:
            self.fake_deletes -= 1
            return []
        return await super().delete(receipts)

    async def extend(self, receipts: Sequence[Receipt], seconds: float) -> list[Failure]:
        """See Queue."""
        try:
            failures = await super().extend(receipts, seconds)
        except Unavailable:
            self.extensions_failed += 1
            raise
        self.extensions_failed += len(failures)
        return failures


class AnyOrder(RuleBasedStateMachine):
    """Messages, faults, kills and stops in any order; at the end all is well again.

    `kinds` tells of each message what it is. `disturbed` is whether anything went wrong in the
    present life of the service, and `orphans` are what an earlier one had in hand; `excused` are
    messages whose lease could not be extended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.kinds: dict[str, str] = {}
        self.refusals: defaultdict[str, deque[bool]] = defaultdict(deque)
        self.seen_writes = 0
        self.disturbed = False
        self.excused: set[str] = set()
        self.rig = self.new_rig()
        clock = self.rig.clock
        self.queue = Queue(clock=clock, visibility_timeout_seconds=VISIBILITY, wait_seconds=5)
        self.queue.refuse = self.refuse
        self.rig.sink.is_bad = lambda line: b"bad" in line
        self.start()

    def new_rig(self, **fakes: Any) -> Rig:
        """A service that has not started yet."""
        return rig(
            **fakes,
            mapping=MAPPING,
            policy="hold",
            pollers=2,
            writers=2,
            settlers=2,
            window_messages=25,
            batch_lines=4,
            hold_seconds=45.0,
        )

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something on the machine's event loop."""
        self.loop.run(work)

    def start(self) -> None:
        """Begin a life of the service on the world as it is."""
        world = self.rig
        self.rig = self.new_rig(
            clock=world.clock, queue=self.queue, store=world.store, sink=world.sink
        )
        self.disturbed = self.is_unwell()
        self.orphans = set(self.queue.in_flight)
        self.do(self._start())

    async def _start(self) -> None:
        self.life = asyncio.create_task(self.rig.pipeline.run(self.rig.stop), name="pipeline")
        await self.rig.clock.settle()

    def refuse(self, call: str, message_id: str) -> Failure | None:
        """The next refusal of an entry of this call, if one is due."""
        if not self.refusals[call]:
            return None
        permanent = self.refusals[call].popleft()
        return Failure(message_id, "Odd", permanent=permanent)

    # ------------------------------------------------------------------ messages and time

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=12))
    def send(self, kinds: list[str]) -> None:
        """Messages arrive."""
        for kind in kinds:
            message_id = f"m{len(self.kinds)}"
            self.kinds[message_id] = kind
            key = LATE if kind == LATE else KNOWN
            lines = [
                {"name": name, "v": 1, "key": key, "t": 1} for name in names(message_id, self.kinds)
            ]
            body = json.dumps({"lines": lines}) if lines else "not JSON"
            self.queue.send(body, message_id=message_id)

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, VISIBILITY + 1]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.do(self.rig.clock.advance(seconds))

    # ------------------------------------------------------------------ the queue

    @rule(
        call=st.sampled_from(CALLS),
        applied=st.booleans(),
        times=st.integers(1, 4),
    )
    def calls_fail(self, call: Any, *, applied: bool, times: int) -> None:
        """Some calls get no answer, whether they had an effect or not."""
        self.disturbed = True
        self.queue.faults[call].extend([Fault(DOWN, applied=applied)] * times)

    @rule(
        call=st.sampled_from(("delete", "extend", "dead_letter")),
        permanent=st.lists(st.booleans(), min_size=1, max_size=6),
    )
    def entries_fail(self, call: str, permanent: list[bool]) -> None:
        """Some entries of calls fail, for now or for good."""
        self.disturbed = True
        self.refusals[call].extend(permanent)

    @rule(times=st.integers(1, 3))
    def deletes_are_fake(self, times: int) -> None:
        """Some deletes seem to succeed, and do nothing."""
        self.disturbed = True
        self.queue.fake_deletes += times

    @rule(twice=st.booleans())
    def deliver_twice(self, *, twice: bool) -> None:
        """From now on every answer holds each message twice, or no longer."""
        self.queue.duplicates = twice

    @rule(most=st.sampled_from([None, 0, 5]))
    def cap(self, most: int | None) -> None:
        """The queue has a cap of messages in flight, or no longer."""
        self.queue.most_in_flight = most

    @rule()
    def lose_the_leases(self) -> None:
        """For longer than a visibility nothing can be extended nor written: all comes again."""
        self.disturbed = True
        self.hang(hung=True)
        self.queue.faults["extend"].extend([Fault(DOWN)] * 1000)
        self.do(self.rig.clock.advance(VISIBILITY + 1))
        self.queue.faults["extend"].clear()
        self.do(self.rig.clock.advance(6))
        self.hang(hung=False)

    # ------------------------------------------------------------------ the other dependencies

    @rule(hung=st.booleans())
    def hang(self, *, hung: bool) -> None:
        """Writes hang, or hang no longer."""
        sink = self.rig.sink
        if hung:
            self.disturbed = True
            sink.hang = sink.hang or asyncio.Event()
        elif sink.hang is not None:
            sink.hang.set()
            sink.hang = None
            self.do(self.rig.clock.settle())

    @rule(down=st.booleans(), stores=st.booleans())
    def sink_down(self, *, down: bool, stores: bool) -> None:
        """The sink fails, perhaps after having stored, or works again."""
        self.disturbed = self.disturbed or down
        self.rig.sink.fault = DOWN if down else None
        self.rig.sink.stores_before_fault = stores

    @rule(down=st.booleans())
    def store_down(self, *, down: bool) -> None:
        """The metadata store fails, or works again."""
        self.disturbed = self.disturbed or down
        self.rig.store.fault = DOWN if down else None

    # ------------------------------------------------------------------ the service's own end

    @rule()
    def kill(self) -> None:
        """All that is held is forgotten; another service starts."""
        self.do(self._kill())
        self.start()

    async def _kill(self) -> None:
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)

    @rule()
    def stop(self) -> None:
        """A clean stop; undisturbed it leaves nothing behind but what it put on hold."""
        undisturbed = not self.disturbed
        self.do(self._stop())
        if undisturbed:
            left = set(self.queue.in_flight) - self.orphans
            assert {self.kinds[each] for each in left} <= {LATE}
        self.start()

    async def _stop(self) -> None:
        self.rig.stop.set()
        await self.rig.clock.advance_until(self.life.done, most_seconds=60)
        await self.life

    # ------------------------------------------------------------------ what always holds

    def stored(self) -> set[str]:
        """The names of all lines that InfluxDB has."""
        return {series.split("line=")[1].split(",")[0] for series, _ in self.rig.sink.points}

    def lettered(self) -> set[str]:
        """The messages that the dead-letter queue has."""
        return {letter.message.message_id for letter in self.queue.dead_letters}

    @invariant()
    def it_runs(self) -> None:
        """No sequence of events ends the service."""
        if self.life.done():
            self.life.result()
            raise AssertionError("the service has ended by itself")

    @invariant()
    def deleted_is_stored_or_lettered(self) -> None:
        """Nothing is deleted before all its lines are stored, or its dead letter is accepted."""
        stored, lettered = self.stored(), self.lettered()
        for message_id in self.queue.deleted:
            assert message_id in lettered or set(names(message_id, self.kinds)) <= stored
        assert not lettered - self.bad()

    @invariant()
    def held_is_leased(self) -> None:
        """What is held is invisible to others, unless the queue had refused to extend a lease."""
        held = self.rig.pipeline.intake.held
        if self.queue.extensions_failed:
            self.queue.extensions_failed = 0
            self.excused |= {each.message.message_id for each in held}
        waiting = set(self.queue.waiting) - self.excused
        for each in held:
            assert each.state is State.RELEASED or each.message.message_id not in waiting

    @invariant()
    def nothing_is_worked_on_twice_at_once(self) -> None:
        """No batch holds a line twice, and each message is held under its newest receipt."""
        writes = self.rig.sink.writes
        for lines in writes[self.seen_writes :]:
            assert len(set(lines)) == len(lines)
        self.seen_writes = len(writes)

    def bad(self) -> set[str]:
        """The messages that can never be stored."""
        return {
            message_id
            for message_id, kind in self.kinds.items()
            if not KINDS[kind] or "bad" in KINDS[kind]
        }

    def teardown(self) -> None:
        """Once all is well again everything ends: stored or dead-lettered, and the bad alone."""
        try:
            self.heal()
            if self.life.done():
                self.start()
            self.do(self.rig.clock.advance_until(self.is_empty))
            self.do(self._stop())
            assert self.lettered() == self.bad()
            assert set(self.queue.deleted) == self.kinds.keys()
            good = [
                name for each in self.kinds.keys() - self.bad() for name in names(each, self.kinds)
            ]
            assert self.stored() >= set(good)
            assert len(self.rig.pipeline.intake.held) == 0
        finally:
            self.do(self._kill())
            self.loop.close()

    def is_unwell(self) -> bool:
        """Whether anything is wrong, or going to be."""
        sink, store = self.rig.sink, self.rig.store
        armed = (*self.queue.faults.values(), *self.refusals.values())
        return (
            any(armed) or bool(self.queue.fake_deletes) or any((sink.hang, sink.fault, store.fault))
        )

    def is_empty(self) -> bool:
        """Whether nothing is in the queue, visible or not."""
        return not self.queue.waiting and not self.queue.in_flight

    def heal(self) -> None:
        """Everything works, and the late record is there."""
        self.queue.faults.clear()
        self.refusals.clear()
        self.queue.fake_deletes = 0
        self.queue.duplicates = False
        self.queue.most_in_flight = None
        self.rig.store.records[LATE] = self.rig.store.records[KNOWN]
        self.store_down(down=False)
        self.sink_down(down=False, stores=False)
        self.hang(hung=False)


def names(message_id: str, kinds: Mapping[str, str]) -> list[str]:
    """The names of a message's lines."""
    return [f"{message_id}-{n}-{word}" for n, word in enumerate(KINDS[kinds[message_id]])]


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=25, stateful_step_count=20)

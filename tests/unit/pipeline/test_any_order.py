"""The whole pipeline under any sequence of events, on a queue that behaves as badly as SQS may."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.rig import KNOWN, Rig, rig

from ingestor.adapters.memory import Fault, MemoryQueue
from ingestor.core.message import Receipt, State
from ingestor.ports import Failure, Unavailable

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
KINDS = {
    "good": ("good",),
    "of three lines": ("good", "good", "good"),
    "refused": ("bad",),
    "of three lines, the middle one refused": ("good", "bad", "good"),
    "not JSON": (),
    LATE: ("good", "good"),
}
"""Kinds of messages, and which of their lines InfluxDB refuses."""

NO_ANSWER = ("is not done", "is done, and not answered")
REFUSED = ("is refused for now", "is refused for good")
HARMS = [
    *((call, how) for call in ("receive", "delete", "extend", "dead_letter") for how in NO_ANSWER),
    *((call, how) for call in ("delete", "extend", "dead_letter") for how in REFUSED),
    ("delete", "only seems to be done"),
]
FORGETFUL = {
    ("receive", "is done, and not answered"),
    ("delete", "only seems to be done"),
    ("delete", "is refused for good"),
    ("extend", "is refused for good"),
    ("dead_letter", "is refused for good"),
}
"""After these the queue hides messages that nobody has: they come again by themselves."""


class Queue(MemoryQueue):
    """Whose deletes can have no effect, which can redeliver at once, and whose leases can fail."""

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

    def redeliver(self) -> None:
        """Hand out again what is in flight: at least once is all that SQS promises."""
        for message_id in self.in_flight:
            self._messages[message_id].visible_at = self._clock.monotonic()
            self._visible.append(message_id)
        self._arrived.set()


class AnyOrder(RuleBasedStateMachine):
    """Messages, faults, kills and stops in any order; at the end all is well again.

    `kinds` tells of each message what it is. Of the present life of the service are: whether
    anything is wrong (`disturbed`), whether the queue may hide what nobody has (`forgetful`),
    whether it hands out more than once (`redelivers`), and what an earlier life had in hand
    (`orphans`). `excused` are messages whose lease could not be extended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.kinds: dict[str, str] = {}
        self.refusals: defaultdict[str, deque[bool]] = defaultdict(deque)
        self.seen_writes = 0
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
        self.disturbed = self.forgetful = self.is_unwell()
        self.redelivers = self.queue.duplicates
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

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.do(self.rig.clock.advance(seconds))

    # ------------------------------------------------------------------ messages and time

    @initialize()
    def send_one_of_each(self) -> None:
        """At the start there is something to do."""
        self.send(sorted(KINDS))

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
        self.wait(0.1)

    @rule(seconds=st.sampled_from([1.0, 7.0, VISIBILITY + 1]))
    def nothing_happens(self, seconds: float) -> None:
        """Time passes."""
        self.wait(seconds)

    # ------------------------------------------------------------------ the queue

    @rule(harm=st.sampled_from(HARMS), times=st.integers(1, 5))
    def calls_go_wrong(self, harm: tuple[Any, str], times: int) -> None:
        """The next calls, or their entries, go wrong in one way; new messages bring them about."""
        call, how = harm
        self.disturbed = True
        self.forgetful = self.forgetful or harm in FORGETFUL
        if how in NO_ANSWER:
            applied = how == "is done, and not answered"
            self.queue.faults[call].extend([Fault(DOWN, applied=applied)] * times)
        elif how in REFUSED:
            self.refusals[call].extend([how == "is refused for good"] * times)
        else:
            self.queue.fake_deletes += times
        self.send(["good", "refused", "not JSON"])
        self.wait(0.6)

    @rule(call=st.sampled_from(["delete", "extend", "dead_letter"]), refused=st.booleans())
    def redeliver_during_a_call(self, call: Any, *, refused: bool) -> None:
        """What is in flight comes again while a call is under way, which may then be refused."""
        self.redelivers = True
        gate = self.queue.gates[call] = asyncio.Event()
        self.send(["good", "refused", LATE])
        self.wait(0.6)
        self.queue.redeliver()
        self.wait(5.1)
        if refused:
            self.calls_go_wrong((call, "is refused for now"), 2)
        gate.set()
        del self.queue.gates[call]
        self.wait(0.1)

    @rule(twice=st.booleans())
    def deliver_twice(self, *, twice: bool) -> None:
        """From now on every answer holds each message twice, or no longer."""
        self.queue.duplicates = twice
        self.redelivers = self.redelivers or twice

    @rule(most=st.sampled_from([None, 0, 5]))
    def cap(self, most: int | None) -> None:
        """The queue has a cap of messages in flight, or no longer."""
        self.queue.most_in_flight = most

    # ------------------------------------------------------------------ the other dependencies

    @rule(seconds=st.sampled_from([5.0, 2.5 * VISIBILITY]), leases=st.booleans())
    def write_slowly(self, seconds: float, *, leases: bool) -> None:
        """Writes hang for a while, perhaps so long, and without leases, that all comes again."""
        hang = self.rig.sink.hang = asyncio.Event()
        self.send(["good", "of three lines", "refused"])
        if not leases:
            self.disturbed = True
            self.queue.faults["extend"].extend([Fault(DOWN)] * 1000)
        self.wait(seconds)
        self.queue.faults["extend"].clear()
        self.rig.sink.hang = None
        hang.set()
        self.wait(0.1)

    @rule(name=st.sampled_from(["sink", "store"]), down=st.booleans(), stores=st.booleans())
    def go_down(self, name: str, *, down: bool, stores: bool) -> None:
        """A dependency fails, the sink perhaps after having stored, or works again."""
        self.disturbed = self.disturbed or down
        dependency: Any = {"sink": self.rig.sink, "store": self.rig.store}[name]
        dependency.fault = DOWN if down else None
        self.rig.sink.stores_before_fault = stores
        self.send(["good"])

    # ------------------------------------------------------------------ the service's own end

    @rule()
    def kill(self) -> None:
        """All that is held is forgotten; another service starts."""
        self.do(self._kill())
        self.start()

    async def _kill(self) -> None:
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)

    @rule(at_once=st.booleans())
    def stop(self, *, at_once: bool) -> None:
        """A clean stop; undisturbed it leaves nothing behind but what it put on hold."""
        if at_once:
            self.send(["good", "of three lines", "refused"])
        self.do(self._stop())
        if not self.disturbed:
            assert not self.hidden()
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

    def hidden(self) -> set[str]:
        """What was received in this life and is still in flight, but for what may be on hold."""
        in_flight = set(self.queue.in_flight) - self.orphans
        return {each for each in in_flight if self.kinds[each] != LATE}

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
    def hidden_is_held(self) -> None:
        """What others cannot receive is held here, unless the queue itself lost sight of it.

        What has just come is held when it is read, a moment later.
        """
        intake = self.rig.pipeline.intake
        if not self.forgetful and not intake.unread_messages:
            held = {each.message_id for each in intake.held}
            assert self.hidden() <= held

    @invariant()
    def held_is_leased(self) -> None:
        """What is held is not handed out again, unless the queue did not extend a lease."""
        held = self.rig.pipeline.intake.held
        if self.queue.extensions_failed:
            self.queue.extensions_failed = 0
            self.excused |= {each.message_id for each in held}
        waiting = set(self.queue.waiting) - self.excused
        if not self.redelivers:
            assert not any(
                each.message_id in waiting and each.state is not State.RELEASED for each in held
            )
            assert self.disturbed or not self.rig.totals.duplicates

    @invariant()
    def nothing_is_worked_on_twice_at_once(self) -> None:
        """No batch holds a line twice."""
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
            for message_id in self.kinds.keys() - self.bad():
                assert self.stored() >= set(names(message_id, self.kinds))
            assert len(self.rig.pipeline.intake.held) == 0
        finally:
            self.do(self._kill())
            self.loop.close()

    def heal(self) -> None:
        """Everything works, and the late record is there."""
        self.queue.faults.clear()
        self.refusals.clear()
        self.queue.fake_deletes = 0
        self.queue.duplicates = False
        self.queue.most_in_flight = None
        self.rig.store.records[LATE] = self.rig.store.records[KNOWN]
        self.rig.store.fault = self.rig.sink.fault = None
        self.rig.sink.stores_before_fault = False

    def is_unwell(self) -> bool:
        """Whether anything is wrong, or going to be."""
        armed = (*self.queue.faults.values(), *self.refusals.values())
        down = (self.rig.sink.fault, self.rig.store.fault)
        return any(armed) or any(down) or bool(self.queue.fake_deletes)

    def is_empty(self) -> bool:
        """Whether nothing is in the queue, visible or not."""
        return not self.queue.waiting and not self.queue.in_flight


def names(message_id: str, kinds: Mapping[str, str]) -> list[str]:
    """The names of a message's lines."""
    return [f"{message_id}-{n}-{word}" for n, word in enumerate(KINDS[kinds[message_id]])]


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=25, stateful_step_count=15)

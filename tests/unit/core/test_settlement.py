"""The bookkeeping between receive and delete."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ingestor.core import settlement
from ingestor.core.message import Attributes, Lease, Message, Reason, Rejected, Stage, State
from ingestor.core.settlement import (
    LONGEST_LEASE_SECONDS,
    IllegalStep,
    InFlight,
    lease_seconds,
    line_refused,
    lines_stored,
)

REFUSAL = Rejected(Stage.WRITE, Reason.REFUSED_BY_INFLUXDB, "conflict")

STEPS: dict[str, tuple[Callable[[Message], object], dict[State, State]]] = {
    "begin writing": (
        lambda held: settlement.begin_writing([held]),
        {State.RECEIVED: State.WRITING},
    ),
    "line stored": (lambda held: lines_stored([held]), {State.WRITING: State.STORED}),
    "line refused": (
        lambda held: line_refused(held, REFUSAL),
        {State.WRITING: State.REJECTED},
    ),
    "reject": (lambda held: settlement.reject([held]), {State.RECEIVED: State.REJECTED}),
    "letter taken": (
        lambda held: settlement.letters_taken([held]),
        {State.REJECTED: State.STORED},
    ),
    "release": (
        lambda held: settlement.release([held]),
        dict.fromkeys(
            (State.RECEIVED, State.WRITING, State.REJECTED, State.STORED), State.RELEASED
        ),
    ),
    "deleted": (lambda held: InFlight().deleted([held]), {State.STORED: State.DELETED}),
    "forget": (lambda held: InFlight().forget([held]), {State.RELEASED: State.RELEASED}),
}
"""Each step, and what it makes of each state; a state that is not there must not take it."""


def message(name: str, handle: str = "first", count: int = 1) -> Message:
    """A message as received."""
    return Message(name, handle, "body", Attributes(0, count))


def lease(now: float) -> Lease:
    """A lease of half a minute."""
    return Lease(now, now + 30.0)


def admit_one(name: str = "a", lines: int = 1) -> Message:
    """A held message with that many open lines."""
    [held] = InFlight().admit([message(name)], lease(0.0))
    held.open_lines = lines
    held.state = State.WRITING
    return held


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_from_every_state(step: str, state: State) -> None:
    """A step that is in the table leads where the table says; any other is refused loudly."""
    held = message("a")
    held.state = state
    if step == "reject":
        held.rejection = REFUSAL
    take, table = STEPS[step]

    if state in table:
        take(held)
        assert held.state is table[state]
    else:
        with pytest.raises(IllegalStep, match=state.name):
            take(held)
        assert (held.state, held.open_lines) == (state, 1)


def test_nothing_to_write_or_to_say() -> None:
    """Without a line there is nothing to wait for, and without a reason nothing to dead-letter."""
    held = message("a")
    held.open_lines = 0

    with pytest.raises(IllegalStep):
        settlement.begin_writing([held])
    with pytest.raises(IllegalStep):
        settlement.reject([held])


def test_a_message_received_again_keeps_its_work_and_takes_the_new_receipt() -> None:
    """It is not handed out twice; the newest receipt and lease replace the old ones."""
    in_flight = InFlight()
    [held] = in_flight.admit([message("a")], lease(0.0))

    again = in_flight.admit([message("a", "second", 2)], lease(40.0))

    assert again == []
    assert held.receipt_handle == "second"
    assert held.attributes.receive_count == 2
    assert (held.lease.received_at, held.lease.until) == (40.0, 70.0)
    assert in_flight.received_again == 1
    assert len(in_flight) == 1


def test_a_message_twice_in_one_receive_is_one_message() -> None:
    """SQS may deliver a message twice in one answer."""
    in_flight = InFlight()

    fresh = in_flight.admit([message("a"), message("a", "second")], lease(0.0))

    assert [held.receipt_handle for held in fresh] == ["second"]
    assert in_flight.size_bytes == len("body")


def test_leases_are_due_in_the_order_in_which_they_end() -> None:
    """A renewed lease goes to the end; only what ends soon is returned, most urgent first."""
    in_flight = InFlight()
    [first] = in_flight.admit([message("a")], lease(0.0))
    [second] = in_flight.admit([message("b")], lease(5.0))
    [third] = in_flight.admit([message("c")], lease(6.0))
    in_flight.renew(first, lease(16.0))

    assert in_flight.due(21.0, 15.0, 10) == [second, third]
    assert in_flight.due(21.0, 15.0, 1) == [second]
    assert in_flight.due(40.0, 15.0, 10) == [second, third, first]


def test_a_forgotten_message_is_gone() -> None:
    """Forgetting twice, or renewing what is gone, changes nothing."""
    in_flight = InFlight()
    [held] = in_flight.admit([message("a")], lease(0.0))

    held.state = State.RELEASED
    in_flight.forget([held])
    in_flight.forget([held])
    in_flight.renew(held, lease(69.0))

    assert (len(in_flight), in_flight.size_bytes, list(in_flight)) == (0, 0, [])
    assert repr(in_flight) == "<InFlight 0 messages, 0 bytes>"


def test_forgetting_an_earlier_life_leaves_the_present_one() -> None:
    """A message that was given back and received anew is another piece of work."""
    in_flight = InFlight()
    [old] = in_flight.admit([message("a")], lease(0.0))
    old.state = State.RELEASED
    in_flight.forget([old])
    [new] = in_flight.admit([message("a", "second")], lease(1.0))

    in_flight.forget([old])

    assert list(in_flight) == [new]


def test_a_deleted_message_is_gone() -> None:
    """Once: nothing is taken off the size twice."""
    in_flight = InFlight()
    [old] = in_flight.admit([message("a")], lease(0.0))
    old.state = State.STORED
    in_flight.deleted([old])
    old.state = State.STORED
    in_flight.deleted([old])

    assert (old.state, len(in_flight), in_flight.size_bytes) == (State.DELETED, 0, 0)


def test_a_released_message_keeps_no_lease() -> None:
    """What is to be given back is not extended any more, and comes again under its old work."""
    in_flight = InFlight()
    held, other = in_flight.admit([message("a"), message("b")], lease(0.0))
    settlement.release([held])

    assert in_flight.due(20.0, 15.0, 10) == [other]
    assert in_flight.admit([message("a", "second")], lease(21.0)) == []
    assert held.receipt_handle == "second"


def test_stored_with_the_last_line() -> None:
    """A message of several lines is stored once, by its last."""
    held = admit_one(lines=3)

    assert lines_stored([held, held]) == ([], [])
    assert held.state is State.WRITING
    assert lines_stored([held]) == ([held], [])
    assert held.state is State.STORED


def test_rejected_with_the_last_line() -> None:
    """The first refusal is kept for the dead letter, whichever line comes last."""
    held = admit_one(lines=2)
    other = Rejected(Stage.WRITE, Reason.LINE_TOO_LARGE, "large")

    assert not line_refused(held, REFUSAL)
    assert line_refused(held, other)
    assert held.rejection is REFUSAL

    held = admit_one(lines=2)
    line_refused(held, REFUSAL)
    assert lines_stored([held]) == ([], [held])
    assert held.state is State.REJECTED


def test_a_lease_is_cut_at_the_twelve_hour_cap() -> None:
    """No extension reaches beyond twelve hours after the receive."""
    held = admit_one()

    assert lease_seconds(held, 0.0, 30.0) == 30.0
    assert lease_seconds(held, LONGEST_LEASE_SECONDS - 10, 30.0) == 10.0
    assert lease_seconds(held, LONGEST_LEASE_SECONDS + 10, 30.0) == 0.0


class Books(RuleBasedStateMachine):
    """Any sequence of receives, renewals and confirmations, against a plain model."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.in_flight = InFlight()
        self.model: dict[str, Message] = {}

    @rule(names=st.lists(st.sampled_from("abcdef"), max_size=10), seconds=st.floats(0, 20))
    def receive(self, names: list[str], seconds: float) -> None:
        """Time passes and messages come, some of them again."""
        self.now += seconds
        fresh = self.in_flight.admit([message(name) for name in names], lease(self.now))

        assert {held.message_id for held in fresh} == set(names) - self.model.keys()
        self.model |= {held.message_id: held for held in fresh}

    @rule()
    def renew(self) -> None:
        """The keeper renews what is due."""
        for held in self.in_flight.due(self.now, 15.0, 3):
            self.in_flight.renew(held, lease(self.now))

    @rule(name=st.sampled_from("abcdef"))
    def confirm(self, name: str) -> None:
        """The queue confirms a delete."""
        held = self.model.pop(name, None)
        if held:
            held.state = State.STORED
            self.in_flight.deleted([held])

    @invariant()
    def agrees_with_the_model(self) -> None:
        """Same messages, right size, and leases in order."""
        leases = [held.lease.until for held in self.in_flight]

        assert set(self.in_flight) == set(self.model.values())
        assert self.in_flight.size_bytes == 4 * len(self.model)
        assert leases == sorted(leases)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=50, stateful_step_count=30)

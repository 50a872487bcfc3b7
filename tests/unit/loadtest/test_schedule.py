"""The plan of a chaos run."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.chaos.schedule import (
    LEASE_OUTAGE_SECONDS,
    Arm,
    InfluxdKill,
    Kill,
    Outage,
    Step,
    Term,
    fingerprint,
    make_schedule,
)
from loadtest.proxy import Hang

sizes = st.integers(min_value=100, max_value=2_000_000)
seeds = st.integers()
plans = settings(max_examples=40, deadline=None)

WANTED = 57
"""Pairs of an operation and a fault that can befall it."""


def arms(steps: list[Step]) -> list[Arm]:
    """The faults of a plan."""
    return [step.action for step in steps if isinstance(step.action, Arm)]


def kinds(steps: list[Step]) -> Counter[str]:
    """How often each kind of action is in a plan."""
    return Counter(type(step.action).__name__ for step in steps)


@plans
@given(messages=sizes, seed=seeds)
def test_everything_happens_at_least_once(messages: int, seed: int) -> None:
    """However short a run is, and whatever its seed: every fault, kill, stop and outage."""
    steps = make_schedule(messages, seed)

    assert len({(each.target, each.operation, repr(each.fault)) for each in arms(steps)}) == WANTED
    assert {"Kill", "Term", "InfluxdKill", "Outage"} <= kinds(steps).keys()
    away = {step.action.target for step in steps if isinstance(step.action, Outage)}
    assert away == {"sqs", "dynamodb", "influxdb"}


@plans
@given(messages=sizes, seed=seeds)
def test_steps_are_in_order_and_within_the_run(messages: int, seed: int) -> None:
    """Steps come in the order of the messages, and all while some are still to be sent."""
    steps = make_schedule(messages, seed)

    moments = [step.at for step in steps]
    assert moments == sorted(moments)
    assert all(0 <= at < messages for at in moments)
    assert all(each.times == 1 for each in arms(steps) if isinstance(each.fault, Hang))


@plans
@given(messages=sizes, seed=seeds)
def test_lease_faults_come_with_an_outage_that_needs_leases(messages: int, seed: int) -> None:
    """Right after the faults of lease calls InfluxDB is away for long enough to need such calls."""
    steps = make_schedule(messages, seed)

    for n, step in enumerate(steps):
        if isinstance(step.action, Arm) and "Visibility" in step.action.operation:
            following = next(
                each
                for each in steps[n:]
                if not (isinstance(each.action, Arm) and "Visibility" in each.action.operation)
            )
            assert following == Step(step.at, Outage("influxdb", LEASE_OUTAGE_SECONDS))


@plans
@given(messages=sizes, seed=seeds)
def test_the_same_seed_gives_the_same_plan(messages: int, seed: int) -> None:
    """A plan depends on the number of messages and the seed alone."""
    steps = make_schedule(messages, seed)

    assert steps == make_schedule(messages, seed)
    assert fingerprint(steps) == fingerprint(make_schedule(messages, seed))
    assert fingerprint(steps) != fingerprint(make_schedule(messages, seed + 1))


def test_the_plan_of_a_seed_is_known() -> None:
    """The fingerprint is the same in any process, on any machine."""
    assert fingerprint(make_schedule(200_000, 7)) == "85c40a939ae1588f"


def test_long_runs_have_their_share() -> None:
    """Kills, stops and outages grow with the number of messages, up to a bound."""
    assert kinds(make_schedule(200_000, 7)) >= Counter(Kill=10, Term=5, InfluxdKill=3)
    assert kinds(make_schedule(1_000_000, 1)) >= Counter(Kill=20, Term=10, InfluxdKill=6)
    assert kinds(make_schedule(10_000_000, 1))["Kill"] == 24
    small = make_schedule(100, 1)
    assert sum(isinstance(step.action, Kill) for step in small) == 2
    assert sum(isinstance(step.action, Term) for step in small) == 1
    assert sum(isinstance(step.action, InfluxdKill) for step in small) == 1

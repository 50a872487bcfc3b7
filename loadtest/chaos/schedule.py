"""What goes wrong when: a plan that depends on the number of messages and the seed alone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from loadtest.proxy import (
    CountsAsStored,
    Drip,
    Duplicates,
    FailedEntries,
    FakeSuccess,
    Fault,
    HalfReply,
    Hang,
    Latency,
    NothingReceived,
    Reset,
    Status,
    UnprocessedKeys,
    Unreadable,
)

Target = Literal["sqs", "dynamodb", "influxdb"]

SHORT_MESSAGES = 10_000
"""In shorter runs each fault comes once, not several times in a row."""
LEASE_OUTAGE_SECONDS = 7.0
"""Longer than half of the queue's visibility, so that leases have to be extended meanwhile."""


@dataclass(slots=True, frozen=True)
class Arm:
    """Let the next calls of one operation go wrong."""

    target: Target
    operation: str
    fault: Fault
    times: int


@dataclass(slots=True, frozen=True)
class Kill:
    """SIGKILL for the service after so many seconds, and a new one at once."""

    after_seconds: float


@dataclass(slots=True, frozen=True)
class Term:
    """SIGTERM for the service amid the load, and a new one after its clean end."""


@dataclass(slots=True, frozen=True)
class InfluxdKill:
    """SIGKILL for influxd, and a new one on its data after so many seconds."""

    down_seconds: float


@dataclass(slots=True, frozen=True)
class Outage:
    """A server that cannot be reached for so many seconds."""

    target: Target
    seconds: float


Action = Arm | Kill | Term | InfluxdKill | Outage


@dataclass(slots=True, frozen=True)
class Step:
    """One action, due when so many messages have been sent."""

    at: int
    action: Action


_ANY_HTTP: tuple[Fault, ...] = (
    Latency(0.7),
    Status(500, "status-500"),
    Status(503, "status-503"),
    Reset(applied=False),
    Reset(applied=True),
    HalfReply(),
    Drip(0.1),
    Hang(applied=True),
    Unreadable(),
)
_THROTTLING: tuple[Fault, ...] = (
    Status(429, "status-429"),
    Status(429, "retry-after-seconds", retry_after="1"),
    Status(503, "retry-after-date", date_in_seconds=2),
    Status(503, "retry-after-junk", retry_after="soon, perhaps"),
)
_LEASES: tuple[Fault, ...] = (
    Status(500, "status-500"),
    Reset(applied=True),
    FailedEntries(),
    FakeSuccess(),
)
_FAULTS: dict[tuple[Target, str], tuple[Fault, ...]] = {
    ("sqs", "ReceiveMessage"): (*_ANY_HTTP, Duplicates(), NothingReceived()),
    ("sqs", "DeleteMessageBatch"): (*_ANY_HTTP, FailedEntries(), FakeSuccess()),
    ("sqs", "SendMessageBatch"): (
        Status(500, "status-500"),
        Reset(applied=False),
        Reset(applied=True),
        HalfReply(),
        FailedEntries(),
    ),
    ("dynamodb", "BatchGetItem"): (*_ANY_HTTP, UnprocessedKeys(), UnprocessedKeys(each=1)),
    ("influxdb", "write"): (*_ANY_HTTP, *_THROTTLING, CountsAsStored(200), CountsAsStored(202)),
}


def make_schedule(messages: int, seed: int) -> list[Step]:
    """The plan of a run. Every kind of fault, kill and outage is in it, however short it is."""
    random = Random(f"chaos:{seed}")
    moments = range(messages // 20, messages - messages // 20)
    steps = [
        Step(random.choice(moments) if moments else 0, action)
        for action in _actions(messages, random)
    ]
    # The lease calls that are to go wrong must come: they do while InfluxDB is away.
    for _ in range(_between(messages // 100_000, 1, 4)):
        at = random.choice(moments) if moments else 0
        steps += [
            Step(at, Arm("sqs", "ChangeMessageVisibilityBatch", fault, 1)) for fault in _LEASES
        ]
        steps.append(Step(at, Outage("influxdb", LEASE_OUTAGE_SECONDS)))
    return sorted(steps, key=lambda step: step.at)  # stable: what belongs together stays together


def fingerprint(steps: list[Step]) -> str:
    """The same for the same plan, in any process."""
    return hashlib.sha256(repr(steps).encode()).hexdigest()[:16]


def _actions(messages: int, random: Random) -> Iterator[Action]:
    for _ in range(_between(messages // 15_000, 2, 24)):
        yield Kill(round(random.random(), 2))
    for _ in range(_between(messages // 30_000, 1, 12)):
        yield Term()
    for _ in range(_between(messages // 50_000, 1, 6)):
        yield InfluxdKill(round(random.random(), 2))
    for _ in range(_between(messages // 100_000, 1, 4)):
        yield Outage("sqs", round(1 + 2 * random.random(), 2))
        yield Outage("dynamodb", round(1 + 2 * random.random(), 2))
    most = 3 if messages >= SHORT_MESSAGES else 1
    for _ in range(_between(messages // 50_000, 1, 8)):
        for (target, operation), faults in _FAULTS.items():
            for fault in faults:
                slow = isinstance(fault, Hang)
                yield Arm(target, operation, fault, 1 if slow else random.randint(1, most))


def _between(wanted: int, least: int, most: int) -> int:
    return max(least, min(wanted, most))

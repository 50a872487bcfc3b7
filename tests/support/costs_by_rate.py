"""Container or function: what each costs a month at a steady rate of messages.

Only what differs is counted: the way from the rule to InfluxDB. Prices are those of `costs`.
"""

import math

from support.costs import PRICES, READINGS_PER_VCPU, SECONDS, tasks

RATES = (1, 10, 100, 300, 1_000, 10_000)
"""Messages a second, one reading each."""
GIGABYTES = 1.0
VCPUS_PER_GIGABYTE = 1024 / 1769
"""Lambda gives a whole vCPU with 1,769 MiB."""
CALL_SECONDS = 0.05
"""What an invocation takes besides its messages: an assumption."""
BATCH, WINDOW_SECONDS = 1_000, 1.0
"""Defaults of `ingestor-lambda.yaml`."""
POLLS_PER_SECOND = 5 / 20
"""Five long polls are always there for an event source mapping."""
READINGS_PER_VCPU_OF_LAMBDA = READINGS_PER_VCPU / 2
"""The function does at least half of what the service does per core."""


def queue(rate: float) -> float:
    """Sending, receiving and deleting by tens."""
    millions = rate * SECONDS / 1e6
    return millions * (PRICES["sqs_send"].dollars + PRICES["sqs_take"].dollars)


def container(rate: float) -> float:
    """The queue and the service."""
    return queue(rate) + tasks(rate)


def function(rate: float) -> float:
    """The queue and the function on its event source mapping."""
    calls = min(rate, max(1 / WINDOW_SECONDS, rate / BATCH))  # a second
    vcpus = GIGABYTES * VCPUS_PER_GIGABYTE
    busy = calls * CALL_SECONDS + rate / (READINGS_PER_VCPU_OF_LAMBDA * vcpus)  # s per second
    polls = POLLS_PER_SECOND * SECONDS / 1e6 * PRICES["sqs_send"].dollars
    return (
        queue(rate)
        + polls
        + calls * SECONDS / 1e6 * PRICES["lambda_call"].dollars
        + busy * GIGABYTES * SECONDS / 1e6 * PRICES["lambda_gigabyte"].dollars
    )


def call_per_message(rate: float) -> float:
    """No queue, and a quiet call for each message."""
    return rate * SECONDS / 1e6 * PRICES["lambda_quiet"].dollars


def crossing() -> int:
    """The rate from which on the container costs less than the function on the queue."""
    low, high = 1, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        if container(middle) < function(middle):
            high = middle
        else:
            low = middle
    return high


def table() -> str:
    """Dollars a month by rate; the cheapest way through the queue in bold."""
    lines = [
        "| messages a second | queue and service (ECS) | queue and function | call per message |",
        "|---:|---:|---:|---:|",
    ]
    for rate in RATES:
        ours, theirs = container(rate), function(rate)
        cells = [_dollars(ours, best=ours <= theirs), _dollars(theirs, best=theirs < ours)]
        lines.append(
            f"| {rate:,} | {' | '.join(cells)} | {_dollars(call_per_message(rate), best=False)} |"
        )
    at = round(crossing(), -int(math.log10(crossing())) + 1)
    lines += [
        "",
        f"The service costs less than the function from some {at:,} messages a second on.",
    ]
    return "\n".join(lines)


def _dollars(amount: float, *, best: bool) -> str:
    text = f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}"
    return f"**{text}**" if best else text

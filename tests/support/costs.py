"""What an environment costs a month. Prices are data with their source and date, not promises.

All prices are list prices of us-east-1 in US dollars, without free tiers and volume discounts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

HOURS = 730
SECONDS = HOURS * 3600
AS_OF = "2026-11-24"


@dataclass(slots=True, frozen=True)
class Price:
    """One price: dollars for a unit, and where it was read."""

    dollars: float
    unit: str
    source: str


_IOT = "AWS's price page, worked examples, as transcribed on 2026-09-20"
_LIST = "list price, from the project's notes of November 2026; verify"
_BLOG = "projecthelena.com/blog/aws-bill-breakdown-2026"

PRICES = {
    "iot_message": Price(1.00, "million messages of 5 KB", _IOT),
    "iot_rule": Price(0.30, "million rules with one action", _LIST),
    "iot_minutes": Price(0.08, "million minutes connected", _IOT),
    "sqs_send": Price(0.40, "million messages sent", _LIST),
    "sqs_take": Price(0.08, "million messages received and deleted by tens", _LIST),
    "lambda_quiet": Price(0.47, "million calls without logs, the upper end of 0.37 to 0.47", _LIST),
    "lambda_demo": Price(1.47, "million calls with the 2020 demo's logs, of 1.37 to 1.47", _LIST),
    "lambda_call": Price(0.20, "million invocations", _LIST),
    "lambda_gigabyte": Price(13.3334, "million GB-seconds of Lambda, arm64", _LIST),
    "vcpu": Price(0.04048, "vCPU-hour of Fargate, x86", _BLOG),
    "gigabyte": Price(0.004445, "GB-hour of Fargate, x86", _BLOG),
    "nat": Price(32.85, "NAT gateway and month, idle", _BLOG),
    "alb": Price(
        22.0,
        "load balancer and month, little used",
        "fortem.dev/blog/aws-fargate-pricing-real-costs",
    ),
    "efs": Price(0.30, "GB-month of EFS Standard", "cloudburn.io/blog/amazon-efs-pricing"),
}

NOT_COUNTED = (
    "DynamoDB (a look-up per key and five minutes)",
    "EFS throughput and backups",
    "CloudWatch (logs, alarms, Container Insights)",
    "Secrets Manager and KMS",
    "CloudFront, NAT and transfer by the gigabyte",
)

READING_SECONDS = 10
"""Each device sends one reading in this time."""
READINGS_PER_VCPU = 2_000
"""A second, per vCPU of the ingestor: an assumption on the safe side; `make bench` measures."""
BYTES_PER_READING = 20
"""In InfluxDB, compressed: an assumption."""
KEPT_MONTHS = 3


@dataclass(slots=True, frozen=True)
class Bill:
    """Dollars a month, by what they are paid for."""

    devices: int
    connections: float
    messages: float
    computing: float
    standing: float

    @property
    def total(self) -> float:
        """Everything that is counted."""
        return self.connections + self.messages + self.computing + self.standing


def millions_of_readings(devices: int) -> float:
    """Readings a month."""
    return devices * SECONDS / READING_SECONDS / 1e6


def fargate(vcpus: float, gigabytes: float) -> float:
    """A task that always runs, per month."""
    return HOURS * (vcpus * PRICES["vcpu"].dollars + gigabytes * PRICES["gigabyte"].dollars)


def ours(devices: int, *, basic_ingest: bool = False, readings_per_message: int = 1) -> Bill:
    """This system: queue and tasks; InfluxDB, Grafana and Chronograf with it."""
    readings = millions_of_readings(devices)
    messages = readings / readings_per_message
    per_message = sum(PRICES[name].dollars for name in ("iot_rule", "sqs_send", "sqs_take"))
    per_message += 0 if basic_ingest else PRICES["iot_message"].dollars
    return Bill(
        devices,
        _connections(devices),
        messages * per_message,
        tasks(devices / READING_SECONDS),
        _standing(devices),
    )


def tasks(readings_per_second: float) -> float:
    """The ingestor as containers of half a vCPU, per month: one at least."""
    halves = max(1, math.ceil(2 * readings_per_second / READINGS_PER_VCPU))
    return halves * fargate(0.5, 1)


def lambda_per_message(
    devices: int, *, as_the_demo: bool = False, basic_ingest: bool = False
) -> Bill:
    """A function call for every message, straight from the rule, as the 2020 demo did."""
    messages = millions_of_readings(devices)
    per_message = PRICES["iot_rule"].dollars
    per_message += 0 if basic_ingest else PRICES["iot_message"].dollars
    calls = PRICES["lambda_demo" if as_the_demo else "lambda_quiet"].dollars
    return Bill(
        devices,
        _connections(devices),
        messages * per_message,
        messages * calls,
        _standing(devices),
    )


def _connections(devices: int) -> float:
    return devices * HOURS * 60 / 1e6 * PRICES["iot_minutes"].dollars


def _standing(devices: int) -> float:
    """What both have: network, way in, InfluxDB by size, Grafana, Chronograf, storage."""
    size = 1 if devices <= 10_000 else 4
    stored = millions_of_readings(devices) * KEPT_MONTHS * BYTES_PER_READING / 1e3
    return (
        PRICES["nat"].dollars
        + PRICES["alb"].dollars
        + fargate(size, 2 * size)
        + 2 * fargate(0.25, 0.5)
        + stored * PRICES["efs"].dollars
    )


def table(fleets: tuple[int, ...] = (20, 1_000, 100_000)) -> str:
    """The table of `cfn/README.md`."""
    lines = [
        "| a month, in US dollars | " + " | ".join(f"{n:,} devices" for n in fleets) + " |",
        "|---|" + "---:|" * len(fleets),
        _row("readings, in millions", [f"{millions_of_readings(n):,.1f}" for n in fleets]),
    ]
    ways: dict[str, Callable[[int], Bill]] = {
        "this system": ours,
        "… with Basic Ingest": lambda n: ours(n, basic_ingest=True),
        "… and ten readings a message": lambda n: ours(
            n, basic_ingest=True, readings_per_message=10
        ),
        "a Lambda call per message": lambda_per_message,
        "… with Basic Ingest, too": lambda n: lambda_per_message(n, basic_ingest=True),
        "a Lambda call per message, as the 2020 demo": lambda n: lambda_per_message(
            n, as_the_demo=True
        ),
    }
    lines += [
        _row(f"**{name}**", [f"{way(n).total:,.0f}" for n in fleets]) for name, way in ways.items()
    ]
    parts: dict[str, Callable[[int], float]] = {
        "of this system: connections": lambda n: ours(n).connections,
        "of this system: messages": lambda n: ours(n).messages,
        "of this system: the ingestor": lambda n: ours(n).computing,
        "of both: network, way in, InfluxDB, Grafana, Chronograf": lambda n: ours(n).standing,
    }
    lines += [_row(name, [f"{part(n):,.0f}" for n in fleets]) for name, part in parts.items()]
    return "\n".join(lines)


def prices() -> str:
    """The prices, for the same page."""
    lines = ["| dollars | for a | source |", "|---:|---|---|"]
    lines += [f"| {p.dollars} | {p.unit} | {p.source} |" for p in PRICES.values()]
    return "\n".join(lines)


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"

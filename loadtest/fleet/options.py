"""What a fleet run is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from loadtest.fleet.profiles import PROFILES, Profile


class WayIn(StrEnum):
    """How messages get into the system."""

    WS = "ws"
    MQTT = "mqtt"
    MQTTS = "mqtts"
    AWS = "aws"
    SQS = "sqs"
    ANSWERER = "answerer"


@dataclass(slots=True, frozen=True)
class Options:
    """A fleet run. `rate` is messages a second of each device; files are written under `report`.

    `endpoint` is where AWS IoT Core answers, empty when AWS is to be asked.
    """

    devices: int
    rate: float
    seconds: float
    profiles: Sequence[Profile]
    kinds: Sequence[str]
    way: WayIn
    seed: int
    records: int
    connections: int
    report: Path
    endpoint: str = ""

    @property
    def messages_per_second(self) -> float:
        """Of the whole fleet, before profiles change it."""
        return self.devices * self.rate

    @property
    def ledger(self) -> Path:
        """Where the ledger is kept: beside the report."""
        return self.report.with_suffix(".sqlite")

    @property
    def page(self) -> Path:
        """Where the page with the plots goes."""
        return self.report.with_suffix(".html")

    def as_dict(self) -> dict[str, Any]:
        """For the report and the ledger."""
        return {
            "devices": self.devices,
            "rate_per_device_s": self.rate,
            "seconds": self.seconds,
            "profiles": [{"name": each.name, **asdict(each)} for each in self.profiles],
            "kinds": list(self.kinds),
            "way": self.way.value,
            "seed": self.seed,
            "records": self.records,
            "connections": self.connections,
            "endpoint": self.endpoint,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], report: Path) -> Self:
        """Those that `as_dict` has told; KeyError or TypeError when it was somebody else."""
        made = [{**each} for each in told["profiles"]]
        return cls(
            devices=told["devices"],
            rate=told["rate_per_device_s"],
            seconds=told["seconds"],
            profiles=[PROFILES[each.pop("name")](**each) for each in made],
            kinds=told["kinds"],
            way=WayIn(told["way"]),
            seed=told["seed"],
            records=told["records"],
            connections=told["connections"],
            report=report,
            endpoint=told["endpoint"],
        )

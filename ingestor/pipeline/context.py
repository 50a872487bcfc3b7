"""What every part of the pipeline is given."""

from dataclasses import dataclass
from random import Random

from ingestor.core.backoff import Backoff
from ingestor.ports import Clock, Unavailable
from ingestor.telemetry.facts import Telemetry


@dataclass(slots=True, frozen=True)
class Context:
    """Time, chance and a place to report to."""

    clock: Clock
    random: Random
    telemetry: Telemetry

    def delay(self, backoff: Backoff, error: Unavailable | None = None) -> float:
        """Seconds to wait after one more failure, as `error` asks or longer."""
        asked = error.retry_after_seconds if error else None
        return backoff.next_delay(self.random.random(), asked_seconds=asked)

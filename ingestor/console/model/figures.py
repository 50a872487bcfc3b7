"""What the service does."""

from typing import Literal

from ingestor.console.model.base import Answer

Level = Literal["ok", "warning", "problem"]


class Sentence(Answer):
    """Health in words."""

    level: Level
    text: str


class Lag(Answer):
    """Milliseconds from a message's entry into the queue until it was stored."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class DeviceCounts(Answer):
    """Devices of the last week: those with a reading within the window, and all others."""

    known: int
    reporting: int
    silent: int
    window_seconds: int


class Buffer(Answer):
    """How full a buffer is; `limit` is null where there is none of its own."""

    name: str
    unit: Literal["messages", "bytes", "lines", "batches"]
    used: float
    limit: float | None


class Step(Answer):
    """One step of a message's way; `waiting` is why it does not go on, if it does not."""

    name: Literal["queue", "receive", "decode", "enrich", "batch", "write", "settle"]
    per_s: float | None
    unit: str
    buffers: list[Buffer]
    waiting: str | None


class Dependency(Answer):
    """Whether the last call to it worked, and why not."""

    name: Literal["sqs", "dynamodb", "influxdb"]
    up: bool
    reason: str | None


class Cache(Answer):
    """Metadata records in memory, and the share of look-ups answered from there since the start."""

    records: int
    hit_share: float | None


class Figures(Answer):
    """All tasks together.

    `source` is `live` when the task that answers is the only one, and then a second old; with
    several it is `reports`, what all wrote to InfluxDB last.
    """

    time_ms: int
    source: Literal["live", "reports"]
    tasks: int
    state: str
    version: str
    uptime_seconds: float | None
    received_per_s: float | None
    stored_per_s: float | None
    rejected_per_s: float | None
    lag: Lag
    backlog: int | None
    in_flight: int | None
    dead_letters: int | None
    devices: DeviceCounts | None
    steps: list[Step]
    cache: Cache
    dependencies: list[Dependency]
    health: list[Sentence]


class Curves(Answer):
    """Figures over time, each list as long as `times` (epoch seconds); null where nothing is known.

    `problems` say why a curve is missing.
    """

    times: list[int]
    step_seconds: int
    curves: dict[str, list[float | None]]
    problems: list[str]

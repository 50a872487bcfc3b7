"""What a running ingestor answers at `/api/status`, as far as it is shown here.

An answer of a later version may hold more; it must not hold less.
"""

import msgspec


class Rates(msgspec.Struct, frozen=True):
    """Messages per second over the last few seconds."""

    received_per_s: float
    stored_per_s: float


class Lag(msgspec.Struct, frozen=True):
    """Milliseconds from entering the queue to being stored; None when nothing was stored lately."""

    p50: float | None
    p99: float | None


class Buffer(msgspec.Struct, frozen=True):
    """How full a buffer is; `limit` is None where another buffer's limit holds it."""

    used: float
    limit: float | None


class Depth(msgspec.Struct, frozen=True):
    """Approximate messages in the queue: waiting, being worked on by anybody."""

    visible: int
    in_flight: int


class Rejections(msgspec.Struct, frozen=True):
    """How many messages went to the dead-letter queue, and why."""

    stage: str
    reason: str
    count: int


class Dependency(msgspec.Struct, frozen=True):
    """Whether the last call worked, and why not."""

    up: bool
    reason: str | None


class Answer(msgspec.Struct, frozen=True):
    """The whole of it."""

    state: str
    ready: bool
    not_ready: list[str]
    version: str
    uptime_seconds: float
    totals: dict[str, int]
    rates: Rates
    lag_ms: Lag
    buffers: dict[str, Buffer]
    cache: dict[str, int]
    queue: Depth | None
    rejections: list[Rejections]
    dependencies: dict[str, Dependency]

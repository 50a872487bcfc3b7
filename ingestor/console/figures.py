"""What the service does now, as figures and in words.

The task that answers knows its own figures to the second. When others run too, the sum of what all
of them wrote to InfluxDB last is what the whole service does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestor.console import model
from ingestor.console_ports import Window

COUNTERS = ("received", "stored", "lines", "batches", "deleted", "rejected", "released")
GAUGES = (
    "window_messages",
    "window_bytes",
    "batch_lines",
    "write_queue",
    "write_limit",
    "waiting_for_metadata",
    "waiting_for_settlement",
)
DEPENDENCIES = ("sqs", "dynamodb", "influxdb")
LAGS = ("lag_p50_seconds", "lag_p95_seconds", "lag_p99_seconds")
NOTHING = model.Lag(p50_ms=None, p95_ms=None, p99_ms=None)


@dataclass(slots=True)
class Load:
    """What goes on, of one task or all: rates in 1/s, gauges with their limits."""

    source: str
    tasks: int
    state: str
    uptime_seconds: float | None = None
    rates: dict[str, float | None] = field(default_factory=dict)
    gauges: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    lag: model.Lag = NOTHING
    visible: int | None = None
    in_flight: int | None = None
    down: dict[str, str] = field(default_factory=dict)
    not_ready: Sequence[str] = ()
    cache: model.Cache = field(default_factory=lambda: model.Cache(records=0, hit_share=None))


def from_status(
    document: Mapping[str, Any], before: Mapping[str, Any] | None, seconds: float
) -> Load:
    """The load of the task that answers, from what it said now and so many seconds `before`."""
    totals = document.get("totals", {})
    earlier = (before or {}).get("totals", {})
    queue = document.get("queue") or {}
    lag = document.get("lag_ms", {})
    cache = document.get("cache", {})
    return Load(
        source="live",
        tasks=1,
        state=document["state"],
        uptime_seconds=document.get("uptime_seconds"),
        rates={
            name: max(0.0, (totals[name] - earlier[name]) / seconds)
            for name in COUNTERS
            if name in totals and name in earlier and seconds > 0
        },
        gauges={
            name: (buffer["used"] or 0.0, buffer["limit"])
            for name, buffer in document.get("buffers", {}).items()
            if name in GAUGES
        },
        lag=model.Lag(p50_ms=lag.get("p50"), p95_ms=lag.get("p95"), p99_ms=lag.get("p99")),
        visible=queue.get("visible"),
        in_flight=queue.get("in_flight"),
        down={
            name: each.get("reason") or "the last call to it failed"
            for name, each in document.get("dependencies", {}).items()
            if not each["up"]
        },
        not_ready=document.get("not_ready", ()),
        cache=_cache(cache.get("records", 0), cache.get("hits", 0), cache.get("misses", 0)),
    )


def from_reports(windows: Sequence[Window], own: Load, every_seconds: float) -> Load | None:
    """The load of all tasks, from the last and first of what each wrote to InfluxDB lately.

    None unless at least two tasks did. `windows` have one value a step of `every_seconds`. Limits
    are those of the task that answers, times the tasks: all are configured alike.
    """
    tasks = [_Task(each, every_seconds) for each in windows if each.values]
    if len(tasks) < 2:  # noqa: PLR2004 - more than the one that answers
        return None
    count = len(tasks)
    gauges = {}
    for name in GAUGES:
        used = [value for each in tasks if (value := each.last(name)) is not None]
        limit = own.gauges.get(name, (0.0, None))[1]
        gauges[name] = sum(used), None if limit is None else limit * count
    lags = [_most(tasks, name) for name in LAGS]
    return Load(
        source="reports",
        tasks=count,
        state=own.state,
        uptime_seconds=own.uptime_seconds,
        rates={name: _sum(each.rate(name) for each in tasks) for name in COUNTERS},
        gauges=gauges,
        lag=model.Lag(p50_ms=lags[0], p95_ms=lags[1], p99_ms=lags[2]),
        visible=own.visible,
        in_flight=own.in_flight,
        down={
            **{
                name: "a task says that the last call to it failed"
                for name in DEPENDENCIES
                if any(each.last(f"up_{name}") == 0 for each in tasks)
            },
            **own.down,
        },
        not_ready=own.not_ready,
        cache=_cache(
            *(
                sum(each.last(f"cache_{name}") or 0 for each in tasks)
                for name in ("records", "hits", "misses")
            )
        ),
    )


class _Task:
    """What one task reported."""

    def __init__(self, window: Window, every_seconds: float) -> None:
        self._values = window.values
        self._every_seconds = every_seconds

    def last(self, name: str) -> float | None:
        known = [value for value in self._values.get(("last", name), ()) if value is not None]
        return known[-1] if known else None

    def rate(self, name: str) -> float | None:
        values = self._values.get(("last", name), ())
        known = [(n, value) for n, value in enumerate(values) if value is not None]
        if len(known) < 2:  # noqa: PLR2004 - a difference has two ends
            return None
        (first, before), (last, now) = known[0], known[-1]
        return max(0.0, (now - before) / ((last - first) * self._every_seconds))


def _most(tasks: Sequence[_Task], name: str) -> float | None:
    known = [value for each in tasks if (value := each.last(name)) is not None]
    return round(max(known) * 1000, 1) if known else None


def _sum(values: "Any") -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _cache(records: float, hits: float, misses: float) -> model.Cache:
    asked = hits + misses
    return model.Cache(records=int(records), hit_share=hits / asked if asked else None)


def steps_of(load: Load) -> list[model.Step]:
    """The way of a message, step by step."""
    rates = load.rates
    why = load.down

    def buffer(name: str, unit: Any) -> model.Buffer:
        used, limit = load.gauges.get(name, (0.0, None))
        return model.Buffer(name=name, unit=unit, used=used, limit=limit)

    messages = buffer("window_messages", "messages")
    stopped = None
    if load.state != "running":
        stopped = f"The service is {load.state}."
    elif why:
        stopped = f"Nothing is received while {' and '.join(why)} cannot be used."
    elif messages.limit and messages.used >= messages.limit:
        stopped = "The window is full: more is received when something is stored."
    held = buffer("waiting_for_metadata", "messages")
    waits_for_metadata = f"{held.used:g} messages wait for a record." if held.used else None
    return [
        model.Step(
            name="queue",
            per_s=None,
            unit="messages",
            buffers=[
                model.Buffer(
                    name="queue_visible", unit="messages", used=load.visible or 0, limit=None
                )
            ],
            waiting=why.get("sqs"),
        ),
        model.Step(
            name="receive",
            per_s=rates.get("received"),
            unit="messages",
            buffers=[messages, buffer("window_bytes", "bytes")],
            waiting=stopped,
        ),
        model.Step(
            name="decode", per_s=rates.get("received"), unit="messages", buffers=[], waiting=None
        ),
        model.Step(
            name="enrich",
            per_s=rates.get("received"),
            unit="messages",
            buffers=[held],
            waiting=why.get("dynamodb", waits_for_metadata),
        ),
        model.Step(
            name="batch",
            per_s=rates.get("lines"),
            unit="lines",
            buffers=[buffer("batch_lines", "lines")],
            waiting=None,
        ),
        model.Step(
            name="write",
            per_s=rates.get("lines"),
            unit="lines",
            buffers=[buffer("write_queue", "batches"), buffer("write_limit", "batches")],
            waiting=why.get("influxdb"),
        ),
        model.Step(
            name="settle",
            per_s=rates.get("deleted"),
            unit="messages",
            buffers=[buffer("waiting_for_settlement", "messages")],
            waiting=why.get("sqs"),
        ),
    ]


def health_of(
    load: Load, *, dead_letters: int | None, devices: model.DeviceCounts | None
) -> list[model.Sentence]:
    """Health in words, the worst first; one sentence when all is well."""
    said: list[model.Sentence] = []

    def say(level: model.Level, text: str) -> None:
        said.append(model.Sentence(level=level, text=text))

    for name, reason in load.down.items():
        say("problem", f"{name} cannot be used: {reason}")
    for reason in load.not_ready:
        if not any(reason.partition(": ")[2] == each for each in load.down.values()):
            say("problem", f"Readings do not get through: {reason}")
    stored, received = load.rates.get("stored") or 0.0, load.rates.get("received") or 0.0
    if load.visible and load.visible > max(1000.0, 60 * max(stored, received)):
        say("warning", f"{load.visible} readings wait in the queue.")
    if load.lag.p99_ms is not None and load.lag.p99_ms > 10_000:  # noqa: PLR2004 - ten seconds
        say("warning", f"Readings are stored up to {load.lag.p99_ms / 1000:.0f} s late.")
    if dead_letters:
        say("warning", f"{dead_letters} readings were refused: see the dead letters.")
    if devices and devices.silent:
        minutes = devices.window_seconds // 60
        text = (
            f"{devices.silent} of {devices.known} devices have been silent for {minutes} minutes."
        )
        say("warning", text)
    if not said:
        say("ok", "All is well: readings arrive and are stored.")
    return said


def figures_of(
    load: Load,
    *,
    time_ms: int,
    version: str,
    dead_letters: int | None,
    devices: model.DeviceCounts | None,
) -> model.Figures:
    """All of it together."""
    return model.Figures(
        time_ms=time_ms,
        source="reports" if load.source == "reports" else "live",
        tasks=load.tasks,
        state=load.state,
        version=version,
        uptime_seconds=load.uptime_seconds,
        received_per_s=load.rates.get("received"),
        stored_per_s=load.rates.get("stored"),
        rejected_per_s=load.rates.get("rejected"),
        lag=load.lag,
        backlog=load.visible,
        in_flight=load.in_flight,
        dead_letters=dead_letters,
        devices=devices,
        steps=steps_of(load),
        cache=load.cache,
        dependencies=[
            model.Dependency(name=name, up=name not in load.down, reason=load.down.get(name))  # type: ignore[arg-type]  # these names
            for name in DEPENDENCIES
        ],
        health=health_of(load, dead_letters=dead_letters, devices=devices),
    )

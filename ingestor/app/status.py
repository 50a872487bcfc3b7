"""What the running service says of itself."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from ingestor.adapters.cache import CachedMetadata
from ingestor.pipeline.pipeline import Pipeline
from ingestor.ports import Clock
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.usage import usage

DEPENDENCIES = ("sqs", "dynamodb", "influxdb")


class Status:
    """Answers for probes, scrapes and the status page, from the figures as they are now.

    It can be asked before there is a pipeline: while SQS does not answer at the start, a restart
    would not help, and people want to see why nothing happens.
    """

    def __init__(self, *, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._started_at = clock.monotonic()
        self._pipeline: Pipeline | None = None
        self._cache: CachedMetadata | None = None

    def attach(self, pipeline: Pipeline, cache: CachedMetadata) -> None:
        """From now on, tell what these do."""
        self._pipeline = pipeline
        self._cache = cache

    def forget(self, keys: Iterable[str]) -> int:
        """Drop copies of metadata records; how many there were."""
        return self._cache.forget(keys) if self._cache else 0

    def not_live(self) -> list[str]:
        """Why a restart would help."""
        if self._pipeline is None:
            return []
        return self._pipeline.progress.standstill(self._clock.monotonic())

    def not_ready(self) -> list[str]:
        """Why readings do not get through at the moment."""
        reasons = [f"{name}: {reason}" for name, reason in self._telemetry.down.items()]
        return reasons if self._state == "running" else [self._state, *reasons]

    def gauges(self) -> Mapping[str, float]:
        """The present value of every gauge of the catalogue."""
        return {
            **(self._pipeline.gauges if self._pipeline else {}),
            **{f"cache_{name}": count for name, count in self._cache_figures().items()},
            "loop_lag_seconds": self._telemetry.loop_lag_seconds,
            **usage(),
        }

    def document(self) -> dict[str, Any]:
        """What `/api/status` answers."""
        telemetry = self._telemetry
        now = self._clock.monotonic()
        depth = self._pipeline.depth.latest if self._pipeline else None
        not_ready = self.not_ready()
        return {
            "state": self._state,
            "ready": not not_ready,
            "not_ready": not_ready,
            "version": version("ingestor"),
            "uptime_seconds": now - self._started_at,
            "totals": asdict(telemetry.totals),
            "rates": {
                "received_per_s": telemetry.received_rate.per_second(),
                "stored_per_s": telemetry.stored_rate.per_second(),
            },
            "lag_ms": {"p50": self._lag_ms(0.5, now), "p99": self._lag_ms(0.99, now)},
            "buffers": self._buffers(),
            "cache": self._cache_figures(),
            "queue": None if depth is None else asdict(depth),
            "rejections": [
                {"stage": stage, "reason": reason, "count": count}
                for (stage, reason), count in telemetry.rejections.most_common()
            ],
            "dependencies": {
                name: {"up": name not in telemetry.down, "reason": telemetry.down.get(name)}
                for name in DEPENDENCIES
            },
        }

    @property
    def _state(self) -> str:
        return self._pipeline.state if self._pipeline else "starting"

    def _cache_figures(self) -> dict[str, int]:
        cache = self._cache
        return {
            "records": cache.size if cache else 0,
            "hits": cache.hits if cache else 0,
            "misses": cache.misses if cache else 0,
            "negative_hits": cache.negative_hits if cache else 0,
            "stale": cache.stale if cache else 0,
        }

    def _lag_ms(self, share: float, now: float) -> float | None:
        seconds = self._telemetry.lag.quantile(share, now)
        return None if seconds is None else round(seconds * 1000, 1)

    def _buffers(self) -> dict[str, dict[str, float | None]]:
        if self._pipeline is None:
            return {}
        limits = self._pipeline.limits
        most = {
            "window_messages": limits.window_messages,
            "window_bytes": limits.window_bytes,
            "batch_lines": limits.batch_lines,
            "write_queue": self._pipeline.assembler.closed.maxsize,
            "write_limit": limits.writers,
        }
        return {
            name: {"used": used, "limit": most.get(name)}
            for name, used in self._pipeline.gauges.items()
            if not name.startswith("queue_")
        }

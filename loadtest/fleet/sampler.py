"""Looks at a run once a second: what its plots are made of, and whose limit it is."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loadtest.bench.processes import cpu_seconds, family, rss_bytes
from loadtest.fleet.desk import Desk
from loadtest.fleet.limits import Limit, Limits, Second
from loadtest.fleet.pacing import Pacer
from loadtest.fleet.plan import Plan
from loadtest.fleet.probe import Probe
from loadtest.fleet.site import Site
from loadtest.stack import Backlog

SECONDS = 1.0
_MS = 1_000
_MEGABYTE = 1e6
_US = 1e6

Row = dict[str, float | str | None]


@dataclass(slots=True)
class _Last:
    """The counters when the last row was made."""

    clock: float
    own_cpu: float
    begun: int = 0
    acknowledged: int = 0
    late: int = 0
    book_seconds: float = 0.0
    throttled: int = 0
    stored: int = 0
    service_cpu: float = 0.0


class Sampler:
    """Makes a row a second, until cancelled. Rates are per second, times ms, memory MB."""

    def __init__(
        self, plan: Plan, desk: Desk, pacer: Pacer, site: Site, probe: Probe | None,
        doing: Callable[[], str],
    ) -> None:  # fmt: skip
        self.rows: list[Row] = []
        self.limits = Limits()
        self.backlog = Backlog(0, 0)
        self.most_rss_mb = 0.0
        self._plan = plan
        self._desk = desk
        self._pacer = pacer
        self._site = site
        self._probe = probe
        self._doing = doing
        self._last = _Last(time.monotonic(), time.process_time(), service_cpu=self._service()[0])

    @property
    def stored(self) -> int:
        """Messages that the service says it has stored."""
        service = self._site.service
        return 0 if service is None else service.total("ingestor_stored_total")

    @property
    def rejected(self) -> dict[str, int]:
        """Messages that the service has dead-lettered, by stage and reason."""
        service = self._site.service
        return {} if service is None else service.by_labels("ingestor_rejected_total")

    @property
    def now(self) -> Row:
        """The latest row; empty before there is one."""
        return self.rows[-1] if self.rows else {}

    async def run(self) -> None:
        """Make rows until cancelled."""
        while True:
            due = time.monotonic() + SECONDS
            await asyncio.sleep(SECONDS)
            lag = time.monotonic() - due
            await self._ask()
            self.rows.append(self._row(lag))

    async def _ask(self) -> None:
        if self._site.stack is not None:
            self.backlog = await self._site.stack.backlog()
        if self._site.service is not None:
            self._site.service.check()
            await self._site.service.scrape()

    def _row(self, loop_lag: float) -> Row:
        last, desk, progress = self._last, self._desk, self._desk.progress
        service_cpu, service_rss = self._service()
        now = _Last(
            time.monotonic(), time.process_time(), progress.begun, progress.acknowledged,
            progress.late, self._pacer.book_seconds, desk.throttled, self.stored, service_cpu,
        )  # fmt: skip
        self._last = now
        seconds = now.clock - last.clock
        second = Second(
            begun=now.begun - last.begun,
            late=now.late - last.late,
            own_cpu_share=(now.own_cpu - last.own_cpu) / seconds,
            loop_lag_seconds=loop_lag,
            book_share=(now.book_seconds - last.book_seconds) / seconds,
            throttled=now.throttled - last.throttled,
            waiting_share=desk.waiting / desk.senders,
        )
        limit = self.limits.add(second)
        rss_mb = rss_bytes([os.getpid()]) / _MEGABYTE
        self.most_rss_mb = max(self.most_rss_mb, rss_mb)
        stored = now.stored - last.stored
        delays = progress.take_window()
        lags = self._probe.take_window() if self._probe else None
        return {
            "second": round(desk.now, 2),
            "doing": self._doing(),
            "planned_per_s": round(self._plan.rate(desk.now), 1),
            "sent_per_s": round(second.begun / seconds, 1),
            "acknowledged_per_s": round((now.acknowledged - last.acknowledged) / seconds, 1),
            "stored_per_s": round(stored / seconds, 1),
            "late": second.late,
            "lateness_p99_ms": _ms(delays.begun.quantile(0.99)),
            "acknowledge_p50_ms": _ms(delays.acknowledged.quantile(0.5)),
            "acknowledge_p99_ms": _ms(delays.acknowledged.quantile(0.99)),
            "lag_p50_ms": _ms(lags.quantile(0.5)) if lags else None,
            "lag_p99_ms": _ms(lags.quantile(0.99)) if lags else None,
            "waiting": self.backlog.waiting,
            "in_flight": self.backlog.in_flight,
            "service_rss_mb": round(service_rss / _MEGABYTE, 1),
            "service_us_per_message": (
                round((now.service_cpu - last.service_cpu) / stored * _US, 1) if stored else None
            ),
            "generator_rss_mb": round(rss_mb, 1),
            "generator_cpu": round(second.own_cpu_share, 3),
            "limit": None if limit is Limit.NONE else limit.value,
        }

    def _service(self) -> tuple[float, int]:
        """CPU seconds and memory of the service."""
        if self._site.service is None:
            return 0.0, 0
        pids = family(self._site.service.pid)
        return cpu_seconds(pids), rss_bytes(pids)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * _MS, 1)


def as_dict(histogram: Any) -> dict[str, float | None]:
    """A histogram of durations for a report, in milliseconds."""
    return {
        "p50": _ms(histogram.quantile(0.5)),
        "p99": _ms(histogram.quantile(0.99)),
        "max": _ms(histogram.most if histogram.count else None),
    }

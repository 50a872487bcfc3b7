"""The figures by the second: kept for five minutes, and told to all who listen.

Once a second the task's own status is taken, in memory. What costs a query (other tasks' reports,
devices, dead letters) is asked for only while somebody looks, every few seconds, for all of them.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ingestor.console import model
from ingestor.console.calls import Call
from ingestor.console.devices import Devices
from ingestor.console.figures import figures_of, from_reports, from_status
from ingestor.console.letters import Letters
from ingestor.console.problems import Refuse
from ingestor.console.spans import range_of, span_of, times_of
from ingestor.console_ports import SeriesReader, Span, Window
from ingestor.ports import Clock, Unavailable

KEPT = 300
SLOW_SECONDS = 5.0
LOOKING_SECONDS = 30.0
"""So long after the last question somebody is taken to be looking."""
MOST_LISTENERS = 20
REPORTS = 4
"""Reports of each task that rates are made of."""
SILENCE_SECONDS = 10.0
RATES_OVER = 5
"""Seconds that rates are the mean of: batches make single seconds differ."""
CURVES = ("received_per_s", "stored_per_s", "rejected_per_s", "lag_p50_ms", "lag_p99_ms", "backlog")

Result = TypeVar("Result")


class Watching:
    """Made once; `run` keeps it going until cancelled."""

    def __init__(
        self,
        *,
        status: Callable[[], Mapping[str, Any]],
        reader: SeriesReader,
        devices: Devices,
        letters: Letters,
        clock: Clock,
        version: str,
        own_measurement: str,
        report_seconds: float,
    ) -> None:
        self._status = status
        self._reader = reader
        self._devices = devices
        self._letters = letters
        self._clock = clock
        self._version = version
        self._own = own_measurement
        self._report_seconds = report_seconds
        self._before: deque[tuple[float, Mapping[str, Any]]] = deque(maxlen=RATES_OVER)
        self._kept: deque[model.Figures] = deque(maxlen=KEPT)
        self._ticked = asyncio.Event()
        self._looked_at = float("-inf")
        self._listeners = 0
        self._reports: list[Window] = []
        self._counts: model.DeviceCounts | None = None
        self._dead_letters: int | None = None
        self._asked = asyncio.Event()
        self._looked = asyncio.Event()

    async def run(self) -> None:
        """Tick every second, and ask what is slow while somebody looks."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick_for_ever(), name="console-figures")
            group.create_task(self._ask_for_ever(), name="console-slow-figures")

    async def figures(self, _: Call) -> model.Figures:
        """What all tasks do now."""
        await self._look()
        return self._make(self._clock.monotonic(), self._status())

    async def recent(self, _: Call) -> model.Curves:
        """The last five minutes by the second."""
        await self._look()
        kept = list(self._kept)
        curves = {
            "received_per_s": [each.received_per_s for each in kept],
            "stored_per_s": [each.stored_per_s for each in kept],
            "rejected_per_s": [each.rejected_per_s for each in kept],
            "lag_p50_ms": [each.lag.p50_ms for each in kept],
            "lag_p99_ms": [each.lag.p99_ms for each in kept],
            "backlog": [_float(each.backlog) for each in kept],
            "devices_reporting": [
                None if each.devices is None else float(each.devices.reporting) for each in kept
            ],
        }
        times = [each.time_ms // 1000 for each in kept]
        return model.Curves(times=times, step_seconds=1, curves=curves, problems=[])

    async def curves(self, call: Call) -> model.Curves:
        """Figures over time, of all tasks together."""
        span = span_of(*range_of(call), call.whole("points") or 1)
        step = max(span.step_ns // 10**9, int(self._report_seconds) or 1)
        if step * 10**9 > span.step_ns:
            span = Span(
                span.begin_ns // (step * 10**9) * step * 10**9,
                step * 10**9,
                max(1, span.steps * span.step_ns // (step * 10**9)),
            )
        windows = await self._reader.windows(
            span, functions=("max",), group=("task",), measurement=self._own
        )
        problems = []
        if not self._report_seconds:
            problems.append(
                "The service does not write its own figures: see INGESTOR_SELF_REPORT_SECONDS."
            )
        return model.Curves(
            times=times_of(span),
            step_seconds=step,
            curves=_curves(windows, span.steps, step),
            problems=problems,
        )

    async def events(self) -> AsyncGenerator[model.Figures | None, None]:
        """Figures as they come, None when there has been nothing for a while; raises `Refuse`.

        Whoever takes them too slowly gets the newest, not those between.
        """
        if self._listeners >= MOST_LISTENERS:
            raise Refuse(503, "Too many listen already.", headers={"Retry-After": "10"})
        self._listeners += 1
        try:
            await self._look()
            yield self._make(self._clock.monotonic(), self._status())
            while True:
                ticked = self._ticked
                try:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        await ticked.wait()
                except TimeoutError:
                    yield None
                else:
                    self._note_look()
                    yield self._kept[-1]
        finally:
            self._listeners -= 1

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._listeners

    async def _look(self) -> None:
        """Somebody looks; the first one waits a moment for what is slow."""
        if not self._is_looked_at():
            self._asked.clear()
        self._note_look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self._asked.wait()

    def _note_look(self) -> None:
        self._looked_at = self._clock.monotonic()
        self._looked.set()

    def _is_looked_at(self) -> bool:
        return self._clock.monotonic() - self._looked_at <= LOOKING_SECONDS

    async def _tick_for_ever(self) -> None:
        while True:
            now, document = self._clock.monotonic(), self._status()
            self._kept.append(self._make(now, document))
            self._before.append((now, document))
            ticked, self._ticked = self._ticked, asyncio.Event()
            ticked.set()
            await self._clock.sleep(1.0)

    async def _ask_for_ever(self) -> None:
        while True:
            if self._is_looked_at():
                await self._ask()
                self._asked.set()
                await self._clock.sleep(SLOW_SECONDS)
            else:
                self._looked.clear()
                await self._looked.wait()

    async def _ask(self) -> None:
        self._reports = await _or(self._last_reports(), [])
        self._counts = await _or(self._devices.counts(), None)
        self._dead_letters = await _or(self._letters.waiting(), None)

    async def _last_reports(self) -> list[Window]:
        if not self._report_seconds:
            return []
        step_ns = int(max(1.0, self._report_seconds) * 1e9)
        end = self._clock.time_ns() // step_ns + 1
        return await self._reader.windows(
            Span((end - REPORTS) * step_ns, step_ns, REPORTS),
            functions=("last",),
            group=("task",),
            measurement=self._own,
        )

    def _make(self, now: float, document: Mapping[str, Any]) -> model.Figures:
        then, before = self._before[0] if self._before else (now, None)
        load = from_status(document, before, now - then)
        workers = int(document.get("workers", 1))
        # The workers of one supervisor report each for itself, and are one task here.
        if len(self._reports) > workers:
            load = from_reports(self._reports, load, max(1.0, self._report_seconds)) or load
        return figures_of(
            load,
            time_ms=self._clock.time_ns() // 10**6,
            version=self._version,
            dead_letters=self._dead_letters,
            devices=self._counts,
        )


async def _or(asked: Awaitable[Result], otherwise: Result) -> Result:
    try:
        return await asked
    except Unavailable:
        return otherwise


def _curves(windows: list[Window], steps: int, step_seconds: int) -> dict[str, list[float | None]]:
    """The curves of all tasks together: rates are added up, the lag is that of the slowest."""
    curves: dict[str, list[float | None]] = {name: [None] * steps for name in CURVES}
    for window in windows:
        for name in ("received", "stored", "rejected"):
            rates = _rates(window.values.get(("max", name), []), step_seconds)
            _combine(curves[f"{name}_per_s"], rates, add=True)
        for name in ("p50", "p99"):
            seconds = window.values.get(("max", f"lag_{name}_seconds"), [])
            lags = [None if value is None else value * 1000 for value in seconds]
            _combine(curves[f"lag_{name}_ms"], lags, add=False)
        _combine(curves["backlog"], window.values.get(("max", "queue_visible"), []), add=False)
    return curves


def _rates(totals: list[float | None], step_seconds: int) -> list[float | None]:
    rates: list[float | None] = []
    before: tuple[int, float] | None = None
    for n, total in enumerate(totals):
        rate = None
        if total is not None:
            if before is not None and total >= before[1]:
                rate = (total - before[1]) / ((n - before[0]) * step_seconds)
            before = n, total
        rates.append(rate)
    return rates


def _combine(into: list[float | None], values: list[float | None], *, add: bool) -> None:
    for n, value in enumerate(values):
        if value is not None:
            now = into[n]
            into[n] = value if now is None else now + value if add else max(now, value)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)

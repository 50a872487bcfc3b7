"""Batches into the sink, until every line is stored or found guilty."""

import asyncio
from collections.abc import Sequence

from ingestor.core.backoff import Backoff
from ingestor.core.batch import Batch
from ingestor.core.bisect import Bisection
from ingestor.core.collisions import collisions
from ingestor.core.message import Reason, Rejected, Stage
from ingestor.core.replies import reason_for
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.places import Places
from ingestor.pipeline.settle import Settler
from ingestor.ports import Refused, TimeSeriesSink, Unavailable


class Writer:
    """Writes one batch at a time. Several run side by side, as a task each, while there are places.

    A place is held for one request, not while waiting to repeat it: what comes after an outage
    finds few places, and more with every write that is as fast as before.

    A sink that is not available closes the intake and is asked again for ever, at most every ten
    seconds or as it asks; the batch stays in memory and its messages keep their leases.
    """

    def __init__(
        self,
        *,
        batches: asyncio.Queue[Batch],
        sink: TimeSeriesSink,
        settler: Settler,
        intake: Intake,
        places: Places,
        context: Context,
    ) -> None:
        self._batches = batches
        self._places = places
        self._sink = sink
        self._settler = settler
        self._intake = intake
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            await self._store(await self._batches.get())

    async def _store(self, batch: Batch) -> None:
        self._telemetry.collided(collisions(batch.lines))
        bisection = Bisection(len(batch))
        while (span := bisection.next_range()) is not None:
            lines = batch.lines[slice(*span)]
            try:
                await self._write(lines)
            except Refused as error:
                self._telemetry.refused(lines=len(lines), too_large=error.too_large)
                bisection.refused(span, error.detail, too_large=error.too_large)
                if len(lines) == 1:
                    self._settler.line_refused(batch.owners[span[0]], _rejection(error))
            else:
                bisection.stored(span)
                self._settler.lines_stored(batch.owners[slice(*span)])

    async def _write(self, lines: Sequence[bytes]) -> None:
        backoff = Backoff()
        size = sum(map(len, lines)) + len(lines)
        while True:
            try:
                async with self._places.place():
                    seconds = await self._request(lines, size)
            except Unavailable as error:
                self._intake.block("influxdb", error.reason)
                self._telemetry.write_retried()
                await self._clock.sleep(self._context.delay(backoff, error))
            except Refused:
                self._intake.unblock("influxdb")
                raise
            else:
                self._intake.unblock("influxdb")
                now = self._clock.monotonic()
                self._telemetry.written(lines=len(lines), size_bytes=size, seconds=seconds, now=now)
                return

    async def _request(self, lines: Sequence[bytes], size_bytes: int) -> float:
        """Write once; the seconds that it took. What they say of the sink is taken note of."""
        concurrency = self._places.concurrency
        started = self._clock.monotonic()
        try:
            await self._sink.write(lines)
        except Unavailable:
            concurrency.failed(started=started, now=self._clock.monotonic())
            raise
        now = self._clock.monotonic()
        others_wait = self._places.others_wait
        concurrency.stored(size_bytes=size_bytes, started=started, now=now, others_wait=others_wait)
        return now - started


def _rejection(error: Refused) -> Rejected:
    """The reason for a line that was refused alone."""
    reason = Reason.LINE_TOO_LARGE if error.too_large else reason_for(error.detail)
    return Rejected(Stage.WRITE, reason, error.detail)

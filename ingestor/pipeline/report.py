"""The service's own figures, written beside the readings and never in their way."""

from collections.abc import Callable, Sequence

from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.ports import Refused, TimeSeriesSink, Unavailable


class Reporter:
    """Writes a batch of its own now and then, straight to the sink.

    What fails is counted, not repeated: the next one says more. It neither opens nor closes the
    intake, and keeps quiet while the sink is known to be down.

    Args:
        sink: Where readings go, too.
        figures: Makes the lines, from the time in epoch nanoseconds and monotonic seconds.
        every_seconds: From the end of one report to the next.
        context: Time and telemetry.
    """

    def __init__(
        self,
        *,
        sink: TimeSeriesSink,
        figures: Callable[[int, float], Sequence[bytes]],
        every_seconds: float,
        context: Context,
    ) -> None:
        self._sink = sink
        self._figures = figures
        self._every_seconds = every_seconds
        self._clock = context.clock
        self._telemetry = context.telemetry

    async def run(self, intake: Intake) -> None:
        """Report until cancelled, first when `intake` opens, which is when the sink was reached."""
        await intake.open.wait()
        while True:
            if "influxdb" not in self._telemetry.down:
                await self._report()
            await self._clock.sleep(self._every_seconds)

    async def _report(self) -> None:
        lines = self._figures(self._clock.time_ns(), self._clock.monotonic())
        try:
            await self._sink.write(lines)
        except Unavailable as error:
            self._telemetry.report_failed(error.reason)
        except Refused as error:
            self._telemetry.report_failed(error.detail)
        else:
            self._telemetry.reported()

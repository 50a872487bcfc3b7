"""The service's own figures as points, so that dashboards need nothing but InfluxDB."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from ingestor.core.message import Reason
from ingestor.core.prefix import escape_name, unusable_tag_value
from ingestor.core.scalars import float_text
from ingestor.telemetry.catalogue import FIGURES, REJECTED
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.histogram import Histogram

_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Points:
    """Lines of two measurements, all fields floats.

    `ingestor` has every counter (its total since the start), every gauge, quantiles over the last
    half minute and one `up_…` a dependency. `ingestor_rejected` counts dead letters by reason;
    each reason is there from the start, so that the first letter is an increase.

    Args:
        telemetry: Where the figures are kept.
        gauges: Gives the present value of the gauges that are known.
        dependencies: The names for `up_…`.
        tags: What tells this task from others; values that no tag can hold are left out.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        *,
        gauges: Callable[[], Mapping[str, float]],
        dependencies: tuple[str, ...],
        tags: Mapping[str, str],
    ) -> None:
        self._telemetry = telemetry
        self._gauges = gauges
        self._dependencies = dependencies
        self._tags = {
            name: value for name, value in tags.items() if value and not unusable_tag_value(value)
        }

    def lines(self, *, time_ns: int, now: float) -> list[bytes]:
        """All figures as they are now; `now` is monotonic."""
        telemetry = self._telemetry
        fields: dict[str, float | None] = {
            **asdict(telemetry.totals),
            **self._gauges(),
            **_quantiles("lag", telemetry.lag, now),
            **_quantiles("write", telemetry.write_seconds, now),
            **{f"up_{name}": name not in telemetry.down for name in self._dependencies},
        }
        by_reason = dict.fromkeys(Reason, 0)
        for (_, reason), count in telemetry.rejections.items():
            by_reason[Reason(reason)] += count
        return [
            _line(FIGURES, self._tags, fields, time_ns),
            *(
                _line(REJECTED, {**self._tags, "reason": reason}, {"messages": count}, time_ns)
                for reason, count in by_reason.items()
            ),
        ]


def _quantiles(name: str, histogram: Histogram, now: float) -> dict[str, float | None]:
    return {
        f"{name}_{label}_seconds": histogram.quantile(share, now)
        for label, share in _SHARES.items()
    }


def _line(
    measurement: str, tags: Mapping[str, str], fields: Mapping[str, float | None], time_ns: int
) -> bytes:
    series = "".join(f",{name}={escape_name(tags[name])}" for name in sorted(tags))
    values = ",".join(
        f"{name}={float_text(float(value))}" for name, value in fields.items() if value is not None
    )
    return f"{measurement}{series} {values} {time_ns}".encode()

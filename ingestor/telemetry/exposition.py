"""The figures in the text format that Prometheus reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ingestor.telemetry import catalogue
from ingestor.telemetry.facts import Telemetry
from ingestor.telemetry.histogram import Histogram


class Exposition(Collector):
    """Reads the figures at scrape time, so that keeping them costs no more than an addition.

    `gauges` gives the present value of every name in `catalogue.GAUGES`.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        *,
        gauges: Callable[[], Mapping[str, float]],
        dependencies: tuple[str, ...],
    ) -> None:
        self._telemetry = telemetry
        self._gauges = gauges
        self._dependencies = dependencies
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def render(self) -> bytes:
        """The whole exposition as bytes."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at each scrape."""
        telemetry = self._telemetry
        for name, value in asdict(telemetry.totals).items():
            if name == "rejected":
                continue  # given below, by stage and reason
            yield CounterMetricFamily(f"ingestor_{name}", catalogue.COUNTERS[name], value=value)
        rejected = CounterMetricFamily(
            "ingestor_rejected", catalogue.REJECTIONS, labels=("stage", "reason")
        )
        for labels, count in telemetry.rejections.items():
            rejected.add_metric(labels, count)
        yield rejected
        for name, gauge in self._gauges().items():
            yield GaugeMetricFamily(f"ingestor_{name}", catalogue.GAUGES[name], value=gauge)
        up = GaugeMetricFamily(
            "ingestor_dependency_up", catalogue.DEPENDENCY_UP, labels=("dependency",)
        )
        for name in self._dependencies:
            up.add_metric((name,), float(name not in telemetry.down))
        yield up
        yield _histogram("ingestor_lag_seconds", catalogue.LAG, telemetry.lag)
        yield _histogram("ingestor_write_seconds", catalogue.WRITE_SECONDS, telemetry.write_seconds)


def _histogram(name: str, text: str, histogram: Histogram) -> HistogramMetricFamily:
    cumulated = 0
    buckets: list[tuple[str, float]] = []
    bounds = [*map(str, histogram.bounds), "+Inf"]
    for bound, count in zip(bounds, histogram.counts, strict=True):
        cumulated += count
        buckets.append((bound, cumulated))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=histogram.sum)

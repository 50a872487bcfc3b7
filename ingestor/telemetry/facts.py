"""One function per operational fact; called once per batch, never per message."""

from collections import Counter, deque
from collections.abc import Sequence

import structlog

from ingestor.core.message import Message, Rejected
from ingestor.telemetry.catalogue import Totals
from ingestor.telemetry.histogram import Histogram
from ingestor.telemetry.rates import Rate


class Telemetry:
    """What the service knows about its own work. Log events never carry a payload."""

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        self.log = log
        self.totals = Totals()
        self.rejections: Counter[tuple[str, str]] = Counter()
        self.down: dict[str, str] = {}
        self.lag = Histogram()
        self.write_seconds = Histogram()
        self.received_rate = Rate()
        self.stored_rate = Rate()
        self._report_failure = ""
        self._late_seconds: deque[float] = deque([0.0], maxlen=10)

    def received(self, messages: Sequence[Message], *, fresh: int) -> None:
        """A poll brought messages, of which `fresh` were not being worked on yet."""
        totals = self.totals
        totals.received += len(messages)
        totals.duplicates += len(messages) - fresh
        totals.received_bytes += sum([len(each.body) for each in messages])
        totals.redelivered += len([each for each in messages if each.attributes.receive_count > 1])

    def written(self, *, lines: int, size_bytes: int, seconds: float, now: float) -> None:
        """The sink confirmed one request."""
        self.totals.lines += lines
        self.totals.line_bytes += size_bytes
        self.totals.batches += 1
        self.write_seconds.observe((seconds,), now)
        self.log.debug("batch written", lines=lines, bytes=size_bytes, seconds=round(seconds, 4))

    def stored(self, messages: Sequence[Message], *, time_ns: int, now: float) -> None:
        """These messages have all their lines in the sink."""
        self.totals.stored += len(messages)
        now_seconds = time_ns / 1e9
        lags = [now_seconds - held.attributes.sent_at_ms / 1e3 for held in messages]
        # Clocks of two machines differ: a lag below zero is a lag of zero.
        if lags and min(lags) < 0:
            lags = [max(0.0, lag) for lag in lags]
        self.lag.observe(lags, now)

    def refused(self, *, lines: int, too_large: bool) -> None:
        """The sink refused a request as it is."""
        self.totals.refusals += 1
        self.log.debug("body refused", lines=lines, too_large=too_large)

    def collided(self, lines: int) -> None:
        """So many lines of a batch overwrite another one of it."""
        if lines:
            self.totals.collisions += lines
            self.log.warning("readings overwrite one another", lines=lines)

    def write_retried(self) -> None:
        """A write is repeated because the sink was not available."""
        self.totals.write_retries += 1

    def dead_lettered(self, rejections: Sequence[Rejected]) -> None:
        """These messages are in the dead-letter queue now."""
        self.totals.rejected += len(rejections)
        by_reason = Counter((each.stage.value, each.reason.value) for each in rejections)
        self.rejections.update(by_reason)
        for (stage, reason), count in by_reason.items():
            self.log.warning("messages dead-lettered", count=count, stage=stage, reason=reason)

    def deleted(self, count: int) -> None:
        """The queue confirmed deletes."""
        self.totals.deleted += count

    def released(self, count: int, *, why: str) -> None:
        """Messages went back to the queue unstored."""
        self.totals.released += count
        if count:
            self.log.info("messages released", count=count, why=why)

    def abandoned(self, count: int, *, why: str) -> None:
        """Messages were let go: the queue will deliver them again."""
        self.totals.abandoned += count
        self.log.warning("messages abandoned", count=count, why=why)

    def queue_entries_failed(self, call: str, codes: Sequence[str]) -> None:
        """Some entries of a batch call failed."""
        self.totals.queue_failures += len(codes)
        self.log.warning("queue entries failed", call=call, codes=dict(Counter(codes)))

    def leases_extended(self, count: int) -> None:
        """The queue confirmed extensions of visibility."""
        self.totals.lease_extensions += count

    def stored_without_metadata(self, count: int) -> None:
        """Lines go on without a metadata record."""
        self.totals.without_metadata += count

    def queue_called(self) -> None:
        """A call to the queue is about to be made."""
        self.totals.queue_calls += 1

    def report_failed(self, reason: str) -> None:
        """The sink did not take our own figures; logged when the reason changes."""
        self.totals.report_failures += 1
        if reason != self._report_failure:
            self.log.warning("own figures not stored", reason=reason)
        self._report_failure = reason

    def reported(self) -> None:
        """The sink took our own figures."""
        self._report_failure = ""

    def dependency_down(self, name: str, reason: str) -> None:
        """A call to a dependency failed; logged when the state or its reason changes."""
        if self.down.get(name) != reason:
            self.log.warning("dependency not available", dependency=name, reason=reason)
        self.down[name] = reason

    def dependency_up(self, name: str) -> None:
        """A call to a dependency worked."""
        if self.down.pop(name, None) is not None:
            self.log.info("dependency available", dependency=name)

    @property
    def loop_lag_seconds(self) -> float:
        """The most that a tick of the last ten came too late."""
        return max(self._late_seconds)

    def tick(self, now: float, *, late_seconds: float = 0.0) -> None:
        """Once a second, or so much later: take the samples that rates are made of."""
        self._late_seconds.append(max(0.0, late_seconds))
        self.received_rate.sample(self.totals.received, now)
        self.stored_rate.sample(self.totals.stored, now)

"""Ranges of time, and the even steps that charts draw."""

import time

from ingestor.console.calls import Call
from ingestor.console.problems import unusable
from ingestor.console_ports import Span

SECOND_NS = 10**9
DAY_SECONDS = 86_400
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def range_of(call: Call) -> tuple[int, int]:
    """Begin and end in milliseconds."""
    end = call.whole("to_ms")
    if end is None:
        end = time.time_ns() // 10**6
    begin = call.whole("from_ms")
    if begin is None:
        begin = max(0, end - 3_600_000)
    if begin >= end:
        raise unusable("from_ms", "the begin must lie before the end")
    return begin, end


def span_of(begin_ms: int, end_ms: int, points: int) -> Span:
    """Even steps over a range, at most so many (and one more at the edge)."""
    seconds = (end_ms - begin_ms) / 1000
    step = next((each for each in STEPS if seconds / each <= points), None)
    if step is None:
        step = -(-int(seconds) // points // DAY_SECONDS) * DAY_SECONDS or DAY_SECONDS
        step = max(step, DAY_SECONDS)
    begin = begin_ms // 1000 // step
    end = -(-end_ms // 1000 // step)
    return Span(begin * step * SECOND_NS, step * SECOND_NS, max(1, end - begin))


def times_of(span: Span) -> list[int]:
    """When each step begins, in epoch seconds."""
    begin, step = span.begin_ns // SECOND_NS, span.step_ns // SECOND_NS
    return [begin + n * step for n in range(span.steps)]

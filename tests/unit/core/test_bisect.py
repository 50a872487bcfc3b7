"""Finding the guilty lines of a refused batch."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.bisect import Bisection, Range


def search(size: int, guilty: set[int]) -> tuple[Bisection, list[Range], set[int]]:
    """Drive a bisection against a sink that refuses any range with a guilty line in it."""
    bisection = Bisection(size)
    written: list[Range] = []
    stored: set[int] = set()
    while (span := bisection.next_range()) is not None:
        written.append(span)
        if guilty.isdisjoint(range(*span)):
            bisection.stored(span)
            stored.update(range(*span))
        else:
            bisection.refused(span, f"refused {span}")
    return bisection, written, stored


@st.composite
def batches(draw: st.DrawFn) -> tuple[int, set[int]]:
    """A batch size, a full batch among them, and the indices of its guilty lines."""
    size = draw(st.integers(1, 300) | st.just(5_000))
    kind = draw(st.sampled_from(["anywhere", "all of a range", "every so many"]))
    if kind == "anywhere":
        return size, draw(st.sets(st.integers(0, size - 1), max_size=300))
    first, last = sorted(draw(st.tuples(*[st.integers(0, size - 1)] * 2)))
    step = 1 if kind == "all of a range" else draw(st.integers(2, size + 1))
    return size, set(range(first, last + 1, step))


@given(batches())
def test_finds_exactly_the_guilty_and_stores_all_others(batch: tuple[int, set[int]]) -> None:
    """Whatever the guilty lines are, each line is either found guilty or stored, never both."""
    size, guilty = batch
    bisection, _, stored = search(size, guilty)

    assert set(bisection.guilty) == guilty
    assert stored == set(range(size)) - guilty


def test_lines_that_are_refused_only_together() -> None:
    """A range whose parts are stored has no guilty line, and what follows it is found out anew."""
    bisection = Bisection(4)
    bisection.refused((0, 4), "together")
    bisection.stored((0, 2))
    bisection.refused((2, 3), "alone")
    bisection.stored((3, 4))

    assert bisection.next_range() is None
    assert bisection.guilty == {2: "alone"}

    bisection = Bisection(2)
    bisection.refused((0, 2), "together")
    bisection.stored((0, 1))
    bisection.stored((1, 2))

    assert bisection.next_range() is None
    assert bisection.guilty == {}


@given(batches())
def test_takes_few_writes(batch: tuple[int, set[int]]) -> None:
    """For k guilty of n lines about k * log2(n / k) + 2 * k writes do, whichever they are."""
    size, guilty = batch
    _, written, _ = search(size, guilty)
    k = len(guilty)
    about = k * math.log2(size / k) + 2 * k if guilty else 1

    assert len(written) <= about + 2 * k + 3
    assert len(written) <= 2 * size


@pytest.mark.parametrize("k", [1, 2, 5, 13, 50])
def test_guilty_lines_far_apart_take_no_more(k: int) -> None:
    """Of a full batch with guilty lines all over it, the bound is kept to a quarter."""
    size = 5_000
    guilty = {n * size // k + size // (2 * k) for n in range(k)}
    _, written, _ = search(size, guilty)

    assert len(guilty) == k
    assert len(written) <= 1.25 * (k * math.log2(size / k) + 2 * k)


@given(batches())
def test_settles_lines_in_their_order(batch: tuple[int, set[int]]) -> None:
    """Ranges start where everything before is settled, and two searches are the same."""
    size, guilty = batch
    _, written, _ = search(size, guilty)
    starts = [start for start, _ in written]

    assert starts == sorted(starts)
    assert search(size, guilty)[1] == written


@given(size=st.integers(1, 300), limit=st.integers(1, 50))
def test_a_body_refused_for_its_size_leaves_nobody_guilty(size: int, limit: int) -> None:
    """Ranges are halved until they fit, and what did not fit is not tried a second time."""
    bisection = Bisection(size)
    stored: list[int] = []
    writes = 0
    while (span := bisection.next_range()) is not None:
        writes += 1
        if span[1] - span[0] > limit:
            bisection.refused(span, "too large", too_large=True)
        else:
            bisection.stored(span)
            stored += range(*span)

    assert stored == list(range(size))
    assert bisection.guilty == {}
    assert writes <= math.log2(size) + 2 * size / limit + 1


@given(size=st.integers(2, 300), data=st.data())
def test_lines_that_only_conflict_together_are_stored_apart(size: int, data: st.DataObject) -> None:
    """Nobody is called guilty who was not refused alone."""
    pair = set(data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True)))
    bisection = Bisection(size)
    stored: list[int] = []
    while (span := bisection.next_range()) is not None:
        if pair <= set(range(*span)):
            bisection.refused(span, "conflict")
        else:
            bisection.stored(span)
            stored += range(*span)

    assert stored == list(range(size))
    assert bisection.guilty == {}


def test_thirteen_guilty_of_five_hundred() -> None:
    """Thirteen guilty lines are found in far fewer writes than there are lines."""
    guilty = {0, 1, 2, 77, 131, 200, 201, 255, 256, 300, 444, 498, 499}
    bisection, written, _ = search(500, guilty)

    assert set(bisection.guilty) == guilty
    assert len(written) < 120


def test_keeps_what_was_said_of_the_guilty_line_itself() -> None:
    """The detail is that of the write of one line, not of the body that it first stood in."""
    bisection, _, _ = search(4, {2})

    assert bisection.guilty == {2: "refused (2, 3)"}
    assert repr(bisection) == "<Bisection 4 of 4 settled, 1 lines guilty>"


def test_an_empty_batch_writes_nothing() -> None:
    """There is nothing to ask the sink about."""
    assert Bisection(0).next_range() is None


def test_a_range_stays_until_it_is_reported_on() -> None:
    """Asking again gives the same range, so that a failed write can be repeated."""
    bisection = Bisection(3)

    assert bisection.next_range() == bisection.next_range() == (0, 3)


@pytest.mark.parametrize("span", [(0, 2), (1, 3), (0, 4)])
def test_a_report_on_another_range_is_a_mistake(span: Range) -> None:
    """Lines that were not written cannot be settled by accident."""
    with pytest.raises(ValueError, match="not asked for"):
        Bisection(3).stored(span)

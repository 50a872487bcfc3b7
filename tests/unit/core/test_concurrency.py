"""How many writes side by side are worth having."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.concurrency import CUT, SLACK_SECONDS, TOLERANCE, Concurrency

SIZE = 1_000_000


def store(
    concurrency: Concurrency,
    *latencies: float,
    at: float = 0.0,
    size: int = SIZE,
    wait: bool = True,
) -> float:
    """Writes one after the other, each of which took so long; returns when the last has ended."""
    for seconds in latencies:
        concurrency.stored(size_bytes=size, started=at, now=at + seconds, others_wait=wait)
        at += seconds
    return at


def test_starts_at_the_most() -> None:
    """The setting is a ceiling that holds until the sink says otherwise."""
    concurrency = Concurrency(4)
    store(concurrency, 0.1, 0.1, 0.1)
    assert concurrency.limit == 4


def test_a_slow_write_cuts_and_fast_ones_give_back() -> None:
    """Multiplicative down; up by one in a round, which is as many writes as the limit."""
    concurrency = Concurrency(10)
    now = store(concurrency, 0.1, 0.1 * TOLERANCE + SLACK_SECONDS + 0.01)
    assert concurrency.limit == int(10 * CUT)
    now = store(concurrency, *[0.1] * 8, at=now)
    assert concurrency.limit == 8
    store(concurrency, *[0.1] * 100, at=now)
    assert concurrency.limit == 10


def test_nothing_grows_that_nobody_waits_for() -> None:
    """Fast writes alone say nothing about what more of them would do."""
    concurrency = Concurrency(10)
    concurrency.failed(started=0.0, now=1.0)
    store(concurrency, *[0.1] * 20, at=1.0, wait=False)
    assert concurrency.limit == 7


def test_one_round_cuts_once() -> None:
    """All writes under way see the same trouble; what began before the cut does not cut again."""
    concurrency = Concurrency(10)
    for _ in range(10):
        concurrency.failed(started=0.0, now=1.0)
    assert concurrency.limit == 7
    concurrency.failed(started=1.0, now=2.0)
    assert concurrency.limit == 4


def test_an_outage_leaves_one() -> None:
    """Somebody has to find out that it is over."""
    concurrency = Concurrency(64)
    for second in range(100):
        concurrency.failed(started=second, now=second + 1)
    assert concurrency.limit == 1


def test_sizes_are_compared_with_their_like() -> None:
    """A small body that was quick makes no large one slow."""
    concurrency = Concurrency(4)
    now = store(concurrency, 0.001, size=500)
    store(concurrency, 0.5, at=now)
    assert concurrency.limit == 4


def test_a_hiccup_is_no_growth() -> None:
    """Where a write takes milliseconds, one that takes a few more means nothing."""
    concurrency = Concurrency(4)
    store(concurrency, 0.001, 0.02)
    assert concurrency.limit == 4


def test_a_sink_that_became_slower_becomes_the_norm() -> None:
    """Otherwise it would be written to by one writer for ever."""
    concurrency = Concurrency(4)
    now = store(concurrency, 0.1, *[0.4] * 10)
    assert concurrency.limit == 1
    store(concurrency, *[0.4] * 200, at=now)
    assert concurrency.limit == 4


@given(
    most=st.integers(1, 64),
    writes=st.lists(
        st.tuples(
            st.booleans(),  # whether it is stored
            st.floats(0, 1e4),  # seconds that it took
            st.floats(0, 100),  # until the next one begins
            st.integers(0, 2**26),
            st.booleans(),
        ),
        max_size=200,
    ),
)
def test_stays_within_its_bounds(
    most: int, writes: list[tuple[bool, float, float, int, bool]]
) -> None:
    """Whatever happens, at least one and at most as many as allowed; never up without waiters."""
    concurrency = Concurrency(most)
    start = 0.0
    for good, seconds, pause, size, wait in writes:
        before = concurrency.limit
        end = start + seconds
        if good:
            concurrency.stored(size_bytes=size, started=start, now=end, others_wait=wait)
        else:
            concurrency.failed(started=start, now=end)
        assert 1 <= concurrency.limit <= most
        assert concurrency.limit <= before + (good and wait)
        start += pause

"""When a batch of lines is closed."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.batch import Batcher
from ingestor.core.message import Attributes, Message


def owner(name: str = "m") -> Message:
    """A held message."""
    return Message(name, "handle", "body", Attributes(0))


def test_closes_on_lines() -> None:
    """The line that reaches the limit closes the batch."""
    batcher = Batcher(most_lines=2, most_bytes=1000, most_seconds=1)
    held = owner()

    closed = batcher.add([b"a", b"b", b"c"], [held] * 3, now=0)

    assert [batch.lines for batch in closed] == [[b"a", b"b"]]
    assert len(batcher) == 1


def test_closes_before_a_line_that_would_exceed_the_bytes() -> None:
    """Line ends count."""
    batcher = Batcher(most_lines=100, most_bytes=8, most_seconds=1)
    held = owner()

    closed = batcher.add([b"aaa", b"bbb", b"c"], [held] * 3, now=0)

    assert [batch.lines for batch in closed] == [[b"aaa", b"bbb"]]
    assert closed[0].size_bytes == 8


def test_a_line_larger_than_the_limit_makes_a_batch_of_its_own() -> None:
    """Nothing is lost for its size here: the sink decides."""
    batcher = Batcher(most_lines=100, most_bytes=8, most_seconds=1)
    held = owner()

    closed = batcher.add([b"a", b"b" * 20, b"c"], [held] * 3, now=0)

    assert [batch.lines for batch in closed] == [[b"a"], [b"b" * 20]]


def test_ages_from_its_first_line() -> None:
    """Later lines do not put the deadline off."""
    batcher = Batcher(most_lines=100, most_bytes=1000, most_seconds=0.5)
    batcher.add([b"a"], [owner()], now=10)
    batcher.add([b"b"], [owner()], now=10.4)

    assert batcher.due_at() == 10.5


def test_nothing_is_due_when_nothing_is_open() -> None:
    """An empty batcher has no deadline and no batch to close."""
    batcher = Batcher(most_lines=1, most_bytes=1000, most_seconds=1)
    batcher.add([b"a"], [owner()], now=0)

    assert (batcher.due_at(), batcher.close(), len(batcher)) == (None, None, 0)


@given(
    chunks=st.lists(st.lists(st.binary(min_size=1, max_size=30), max_size=20), max_size=10),
    most_lines=st.integers(1, 7),
    most_bytes=st.integers(1, 60),
)
def test_every_line_comes_out_once_in_order_with_its_owner(
    chunks: list[list[bytes]], most_lines: int, most_bytes: int
) -> None:
    """No limit loses, doubles, reorders or misattributes a line, and none is exceeded."""
    batcher = Batcher(most_lines=most_lines, most_bytes=most_bytes, most_seconds=1)
    owners = [[owner(f"{i}-{j}") for j, _ in enumerate(chunk)] for i, chunk in enumerate(chunks)]

    batches = []
    for chunk, of_chunk in zip(chunks, owners, strict=True):
        batches += batcher.add(chunk, of_chunk, now=0)
    last = batcher.close()
    batches += [last] if last else []

    assert [line for batch in batches for line in batch.lines] == list(chain(*chunks))
    assert [held for batch in batches for held in batch.owners] == list(chain(*owners))
    assert all(1 <= len(batch) <= most_lines for batch in batches)
    assert all(batch.size_bytes <= most_bytes or len(batch) == 1 for batch in batches)

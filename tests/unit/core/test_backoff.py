"""How long to wait before asking again."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.backoff import Backoff


def test_grows_from_the_first_delay_to_the_most() -> None:
    """Each failure doubles the ceiling until the most is reached."""
    backoff = Backoff(first_seconds=1.0, most_seconds=5.0)

    assert [backoff.next_delay(1.0) for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_starts_anew_after_a_success() -> None:
    """A reset forgets all failures."""
    backoff = Backoff(first_seconds=1.0)
    backoff.next_delay(0.0)
    backoff.reset()

    assert backoff.next_delay(0.0) == 0.5


def test_waits_as_long_as_it_is_asked_to() -> None:
    """A longer wait that the dependency asks for wins over the computed one."""
    assert Backoff().next_delay(0.0, asked_seconds=7.0) == 7.0


def test_an_absurd_request_is_capped() -> None:
    """A dependency cannot silence the service for a day."""
    assert Backoff(most_asked_seconds=60.0).next_delay(0.0, asked_seconds=86_400.0) == 60.0


@given(luck=st.floats(0, 1, exclude_max=True), failures=st.integers(0, 100_000))
def test_is_never_zero_and_never_beyond_the_most(luck: float, failures: int) -> None:
    """However long the outage, the delay stays between half of the first and the most."""
    delay = Backoff(first_seconds=0.1, most_seconds=10.0, failures=failures).next_delay(luck)

    assert 0.05 <= delay <= 10.0

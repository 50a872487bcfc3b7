"""How far our clock is off, as SQS sees it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import time

SKEW_SECONDS = 60.0
"""A clock that is further off than this is corrected; SQS accepts five minutes."""


class Skew:
    """How many seconds the clock of SQS is ahead of ours, for all transports of a client."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def learn(self, date: str) -> bool:
        """Read a Date header; True when our clock was found to be wrong."""
        try:
            there = parsedate_to_datetime(date)
        except ValueError:
            return False
        there = there if there.tzinfo else there.replace(tzinfo=UTC)
        seconds = (there - datetime.fromtimestamp(time(), UTC)).total_seconds()
        if abs(seconds - self.seconds) < SKEW_SECONDS:
            return False
        self.seconds = seconds
        return True

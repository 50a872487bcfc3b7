"""What DynamoDB takes as a key, and one to ask for."""

from ingestor.core.metadata import join_key
from ingestor.core.tablekeys import Keys

LONGEST_KEY_BYTES = 2048
"""The limit of a partition key."""
LONGEST_SORT_KEY_BYTES = 1024
"""The limit of a sort key."""
_CHECK_KEY = "ingestor-check"


def key_of_no_record(keys: Keys) -> str:
    """A key that no record has."""
    return _CHECK_KEY if keys.sort is None else join_key(_CHECK_KEY, _CHECK_KEY)


def can_be_a_key(text: str, keys: Keys) -> bool:
    """Whether a record can have this key."""
    partition, sort = keys.split(text)
    return _has_bytes(partition, LONGEST_KEY_BYTES) and (
        sort is None or _has_bytes(sort, LONGEST_SORT_KEY_BYTES)
    )


def _has_bytes(text: str, most: int) -> bool:
    """Whether the text has at least one byte and at most so many."""
    try:
        return 0 < len(text.encode()) <= most
    except UnicodeEncodeError:  # a lone surrogate
        return False

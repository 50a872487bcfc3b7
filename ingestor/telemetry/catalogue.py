"""Every figure that the service keeps: name, kind and meaning, in one place.

Exposed as `ingestor_<name>`; counters get `_total`. As points they are fields of these names. The
table in this folder's README is made from here.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Totals:
    """Counters since the start of the process; messages unless the name says otherwise."""

    received: int = 0
    received_bytes: int = 0
    redelivered: int = 0
    duplicates: int = 0
    lines: int = 0
    line_bytes: int = 0
    batches: int = 0
    write_retries: int = 0
    refusals: int = 0
    collisions: int = 0
    stored: int = 0
    deleted: int = 0
    rejected: int = 0
    released: int = 0
    abandoned: int = 0
    without_metadata: int = 0
    lease_extensions: int = 0
    queue_failures: int = 0
    queue_calls: int = 0
    report_failures: int = 0


COUNTERS: dict[str, str] = {
    "received": "Messages received from the queue, redeliveries included",
    "received_bytes": "Characters of their bodies",
    "redelivered": "Messages received with a receive count above 1",
    "duplicates": "Messages received while they were already being worked on",
    "lines": "Lines that InfluxDB confirmed as stored",
    "line_bytes": "Bytes of these lines before compression",
    "batches": "Batches written",
    "write_retries": "Writes repeated because InfluxDB was not available",
    "refusals": "Request bodies that InfluxDB refused and that were then written in parts",
    "collisions": "Lines that overwrite another one of their batch: same series and time, "
    "another value",
    "stored": "Messages whose every line is stored",
    "deleted": "Messages whose delete the queue confirmed",
    "rejected": "Messages sent to the dead-letter queue",
    "released": "Messages given back to the queue unstored",
    "abandoned": "Messages let go without a settlement: the queue will deliver them again",
    "without_metadata": "Lines stored without a metadata record",
    "lease_extensions": "Visibility extensions that the queue confirmed",
    "queue_failures": "Entries of delete, extend and dead-letter calls that failed",
    "queue_calls": "Calls to the queue, which is what it charges for",
    "report_failures": "Reports of these figures that InfluxDB did not take",
}

GAUGES: dict[str, str] = {
    "window_messages": "Messages held: received and not yet confirmed as gone",
    "window_bytes": "Characters of their bodies",
    "batch_lines": "Lines in the open batch",
    "write_queue": "Closed batches that wait for a writer",
    "write_limit": "Batches that may be written side by side, as fast as InfluxDB is now",
    "waiting_for_metadata": "Messages whose metadata look-up was not answered yet",
    "waiting_for_settlement": "Messages that wait to be deleted, dead-lettered or released",
    "queue_visible": "Messages that wait in the queue, approximately",
    "queue_in_flight": "Messages that any consumer of the queue works on, approximately",
    "cache_records": "Metadata records in the cache",
    "cache_hits": "Look-ups answered by the cache",
    "cache_misses": "Look-ups that had to ask DynamoDB",
    "cache_negative_hits": "Look-ups answered by the cache: there is no such record",
    "cache_stale": "Look-ups answered by an expired record because DynamoDB did not answer",
    "loop_lag_seconds": "Most that a task was woken too late within the last ten seconds",
    "cpu_seconds": "Processor seconds used since the start",
    "max_resident_bytes": "Most memory held at any time since the start",
}

FIGURES = "ingestor"
"""The measurement that the service writes its own figures to."""
REJECTED = "ingestor_rejected"
"""The measurement with its dead letters by reason."""

LAG = "Seconds from a message's entry into the queue to its lines being stored"
WRITE_SECONDS = "Seconds that one successful write took"
REJECTIONS = "Messages sent to the dead-letter queue, by stage and reason"
DEPENDENCY_UP = "1 when the last call to the dependency worked"

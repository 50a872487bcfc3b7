"""An HTTP proxy that misbehaves as it is told: evidence of what happens when others do."""

from loadtest.proxy.edits import (
    CountsAsStored,
    Duplicates,
    FailedEntries,
    FakeSuccess,
    NothingReceived,
    UnprocessedKeys,
)
from loadtest.proxy.faults import Drip, Fault, HalfReply, Hang, Latency, Reset, Status, Unreadable
from loadtest.proxy.http import Reply, Request
from loadtest.proxy.server import ANY, FaultProxy, aws_operation, influxdb_operation

__all__ = [
    "ANY",
    "CountsAsStored",
    "Drip",
    "Duplicates",
    "FailedEntries",
    "FakeSuccess",
    "Fault",
    "FaultProxy",
    "HalfReply",
    "Hang",
    "Latency",
    "NothingReceived",
    "Reply",
    "Request",
    "Reset",
    "Status",
    "UnprocessedKeys",
    "Unreadable",
    "aws_operation",
    "influxdb_operation",
]

"""The shipped fakes: adapters that keep everything in memory and run on virtual time.

They pass the same contract suites as the real adapters, and can be told to fail.
"""

from ingestor.adapters.memory.clock import FakeClock
from ingestor.adapters.memory.letters import MemoryLetters
from ingestor.adapters.memory.lines import Point, parse_line
from ingestor.adapters.memory.metadata import MemoryMetadata
from ingestor.adapters.memory.queue import Fault, MemoryQueue
from ingestor.adapters.memory.records import MemoryRecords
from ingestor.adapters.memory.series import MemorySeries
from ingestor.adapters.memory.sink import MemorySink

__all__ = [
    "FakeClock",
    "Fault",
    "MemoryLetters",
    "MemoryMetadata",
    "MemoryQueue",
    "MemoryRecords",
    "MemorySeries",
    "MemorySink",
    "Point",
    "parse_line",
]

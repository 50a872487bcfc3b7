"""What the process takes of the machine."""

import resource
import sys
import time

_UNIT = 1 if sys.platform == "darwin" else 1024  # of the maximum resident size


def usage() -> dict[str, float]:
    """Gauges of the catalogue, for this process since its start."""
    return {
        "cpu_seconds": time.process_time(),
        "max_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT,
    }

"""Runs the service and notes, by CPU time, which part of it is at work.

`python -m loadtest.bench.sampled FILE run` is `python -m ingestor run` with a timer: every few
milliseconds of user time the main thread is asked where it is. Each SIGUSR1 writes what was seen
since the last one to FILE, as JSON, and begins anew.

A sample belongs to the innermost frame that a stage has a name for. What runs in no such frame is
the event loop, its callbacks and the garbage collector. Kernel time and the thread that compresses
are not sampled: the system counts them.
"""

import json
import os
import runpy
import signal
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.002
"""Of user time; the system rounds it up to its own ticks."""
REST = "loop and rest"
CLIENT = "adapters/sqs/"
"""Frames of the client belong to whoever called: a receive, or a delete."""
STAGES = {
    "core/decode/": "decode",
    "core/encode/__init__": "decode",
    "core/process.py:parse": "decode",
    "core/process.py:encode": "map and encode",
    "core/opened": "decode",
    "core/encode/keys": "metadata",
    "adapters/cache": "metadata",
    "adapters/dynamodb": "metadata",
    "pipeline/enrich": "metadata",
    "core/encode/": "map and encode",
    "core/paths": "map and encode",
    "core/prefix": "map and encode",
    "core/scalars": "map and encode",
    "core/timestamps": "map and encode",
    "core/batch": "batch",
    "pipeline/assemble": "batch",
    "core/bisect": "write",
    "core/concurrency": "write",
    "core/replies": "write",
    "adapters/influxdb/": "write",
    "pipeline/places": "write",
    "pipeline/write": "write",
    "pipeline/receive": "receive",
    "pipeline/arrivals": "receive",
    "pipeline/settle": "delete",
    "pipeline/leases": "delete",
    "pipeline/poison": REST,
    "telemetry/": "telemetry",
}
"""Stages by the beginning of the place in the package, `file:function`; the first that fits."""
HTTP = "HTTP"
MAPPED = "<route>"
"""What the mapping compiles is in no file."""
_PACKAGE = "/ingestor/"


def stage_of(stack: Sequence[tuple[str, str]]) -> str:
    """The stage that is at work, from file and function of each frame, the innermost first."""
    in_client = False
    for file, function in stack:
        if file == MAPPED:
            return "map and encode"
        place = f"{file.rpartition(_PACKAGE)[2]}:{function}" if _PACKAGE in file else ""
        if place.startswith(CLIENT):
            in_client = True
            continue
        stage = next((stage for start, stage in STAGES.items() if place.startswith(start)), None)
        if stage is not None:
            return stage
    # A callback of the client: bytes came, whoever they are for.
    return HTTP if in_client else REST


class Sampler:
    """Counts samples by stage."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._samples: Counter[str] = Counter()
        self._before = _seconds()

    def start(self) -> None:
        """Take samples from now on."""
        signal.signal(signal.SIGVTALRM, self._sample)
        signal.signal(signal.SIGUSR1, self._write)
        signal.setitimer(signal.ITIMER_VIRTUAL, EVERY_SECONDS, EVERY_SECONDS)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            stack.append((frame.f_code.co_filename, frame.f_code.co_name))
            frame = frame.f_back
        self._samples[stage_of(stack)] += 1

    def _write(self, _number: int, _frame: FrameType | None) -> None:
        now = _seconds()
        seconds = {name: now[name] - self._before[name] for name in now}
        seen = {"samples": dict(self._samples), "seconds": seconds}
        scratch = self._file.with_suffix(".new")
        scratch.write_text(json.dumps(seen))
        scratch.rename(self._file)
        self._samples.clear()
        self._before = now


def _seconds() -> dict[str, float]:
    """CPU seconds so far: the main thread's in user mode, the other threads', and the kernel's."""
    ticks = os.sysconf("SC_CLK_TCK")
    main = threading.main_thread().native_id
    fields = Path(f"/proc/self/task/{main}/stat").read_text().rpartition(")")[2].split()
    times = os.times()
    user = int(fields[11]) / ticks
    return {"main": user, "threads": max(0.0, times.user - user), "kernel": times.system}


def main() -> None:
    """Start the timer, then the service with the rest of the command line."""
    file = Path(sys.argv[1])
    del sys.argv[1]
    Sampler(file).start()
    runpy.run_module("ingestor", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""Ends servers whose user was killed: run as a process of its own, one for each server.

SIGKILL leaves a program no time to stop what it started. This guard sees the end of its
standard input instead, which the kernel closes however its user dies, kills the process groups
it was told to watch and removes their folder. It is a process rather than PR_SET_PDEATHSIG
because that is Linux only, needs code between fork and exec, which is unsafe beside threads,
follows the thread rather than the process, and reaches neither grandchildren nor files.

It runs as a plain script (`python -I guard.py FOLDER`) and imports nothing else of the project,
so that it is there within some milliseconds. Its input is lines: `watch PGID`, `forget PGID`.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path


def watched_at_end(lines: Iterable[str]) -> set[int]:
    """The process groups still watched when the input ends."""
    groups: set[int] = set()
    for line in lines:
        verb, _, group = line.strip().partition(" ")
        if verb == "watch":
            groups.add(int(group))
        elif verb == "forget":
            groups.discard(int(group))
    return groups


def remove(folder: Path, *, attempts: int = 50) -> None:
    """Remove the folder, although processes just killed may still be writing there."""
    for _ in range(attempts):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def main() -> None:
    """Wait for the end of the input, then clean up."""
    for group in watched_at_end(sys.stdin):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    remove(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

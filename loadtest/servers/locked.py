"""Runs a server while it holds the lock of its data folder, or not at all.

Two servers on one data folder lose half of what they acknowledge, and InfluxDB 1.x does not
notice. The lock is of the kernel, on an open file that the server inherits: it ends with the
server, however that ends.

A plain script that becomes the server: `python -I locked.py FOLDER COMMAND [ARGUMENT…]`.
"""

import fcntl
import os
import sys
from pathlib import Path


def main() -> None:
    """Take the lock, then become the command."""
    folder, *command = sys.argv[1:]
    lock = os.open(Path(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another server works in {folder}: two would lose what they acknowledge")
    os.set_inheritable(lock, True)  # noqa: FBT003 - its parameter has no name
    try:
        os.execv(command[0], command)  # noqa: S606 - becoming the server is its purpose
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error}")


if __name__ == "__main__":
    main()

"""A process whose event loop is stuck ends; one whose loop turns does not."""

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, sys, time
from ingestor.adapters.watchdog import watchdog

async def main():
    async with watchdog(0.5):
        if {stuck}:
            time.sleep(60)
        await asyncio.sleep(1.2)
    time.sleep(0.8)
    print("fine")

asyncio.run(main())
"""


@pytest.mark.parametrize("stuck", [True, False])
def test_a_stuck_loop_ends_the_process(*, stuck: bool) -> None:
    """A loop that does not turn ends the process with a stack dump; one that does, does not."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(stuck=stuck)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == int(stuck)
    assert ("fine" in done.stdout) is not stuck
    assert ("line 8 in main" in done.stderr) is stuck

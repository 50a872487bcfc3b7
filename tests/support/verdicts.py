"""Runs tests and writes how each ended: `python -m support.verdicts FILE [pytest's arguments]`."""

import json
import sys
from pathlib import Path

import pytest


class Verdicts:
    """A pytest plugin: how each phase that did not pass ended, by the test's node id.

    A test that passed has an entry without phases, so that it differs from one that never ran.
    """

    def __init__(self) -> None:
        self.found: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the kind and the first lines of a failure."""
        phases = self.found.setdefault(report.nodeid, {})
        if not report.passed:
            crash = getattr(report.longrepr, "reprcrash", None)
            phases[report.when] = crash.message if crash else str(report.longrepr)[:1000]


def main(file: str, *arguments: str) -> int:
    """Pytest's exit code."""
    verdicts = Verdicts()
    code = pytest.main([*arguments], plugins=[verdicts])
    Path(file).write_text(json.dumps(verdicts.found))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Tests of a group run on one worker, one after another: they share what is dear to make.

A group is what a file's `xdist_group` says. pytest-xdist 3.8 does as much by itself, by the names
of tests, which it cannot change any more since pytest 9.2: there its groups have no effect.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_GROUP = re.compile(r'\bxdist_group\("([^"]+)"\)')


class Grouped(LoadScopeScheduling):  # type: ignore[misc] # it says nothing of its types
    """Whole groups to a worker; every other test by itself."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid, self.config.rootpath)


def scope_of(nodeid: str, root: Path) -> str:
    """What is done by one worker: the group of a test, or the test alone."""
    return _group_of(root / nodeid.partition("::")[0]) or nodeid


@cache
def _group_of(file: Path) -> str | None:
    named = _GROUP.search(file.read_text())
    return named[1] if named else None


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Grouped:
    """See pytest-xdist."""
    return Grouped(config, log)

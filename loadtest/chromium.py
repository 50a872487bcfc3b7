"""Finds a Chromium for what only a browser can tell, or unpacks Debian's where there is none.

It is not installed: its packages, and those it needs that this machine lacks, are unpacked into
the cache folder. That needs apt, but neither root nor a display.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.toolchain import (
    ToolchainError,
    cache_folder,
    locked,
    none_found,
    run_tool,
    tool_on_path,
)

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_VERSION_SECONDS = 60
_FETCH_SECONDS = 900


@dataclass(slots=True, frozen=True)
class FoundChromium:
    """A binary that runs, and the environment variables that it needs for it."""

    path: Path
    variables: Mapping[str, str]


def find_chromium(environ: Mapping[str, str] = os.environ) -> FoundChromium:
    """The Chromium to use.

    In this order: the one named by INGESTOR_TEST_CHROMIUM (nothing else is tried then); one on
    PATH; Debian's, unpacked into the cache folder.

    Raises ToolchainError, with what was tried and every remedy, when there is none.
    """
    if named := environ.get("INGESTOR_TEST_CHROMIUM"):
        return _checked(FoundChromium(Path(named).absolute(), {}))
    problems = [f"none of {', '.join(_NAMES)} is on PATH"]
    for name in _NAMES:
        if path := shutil.which(name, path=environ.get("PATH", os.defpath)):
            try:
                return _checked(FoundChromium(Path(path), {}))
            except ToolchainError as exc:
                problems.append(str(exc))
    try:
        return _unpacked(environ)
    except ToolchainError as exc:
        problems.append(str(exc))
    raise none_found(
        "There is no Chromium, and none could be unpacked",
        problems,
        "set INGESTOR_TEST_CHROMIUM to a Chromium or Chrome binary",
        "install one, so that it is on PATH: on Debian, `apt-get install chromium`",
        "let apt-get reach its sources: the packages are then unpacked, not installed",
    )


def _unpacked(environ: Mapping[str, str]) -> FoundChromium:
    folder = cache_folder(environ) / "chromium-debian"
    root = folder / "root"
    found = _in(root)
    try:
        with locked(folder):
            if not found.path.exists():
                _fetch(folder, root, environ)
    except OSError as exc:
        raise ToolchainError(f"{folder} cannot be used: {exc}") from exc
    return _checked(_in(root))


def _in(root: Path) -> FoundChromium:
    libraries = [path for path in (root / "usr/lib").glob("*-linux-gnu") if path.is_dir()]
    folders = [*libraries, *(path / "pulseaudio" for path in libraries)]
    return FoundChromium(
        root / "usr/lib/chromium/chromium",
        {
            "LD_LIBRARY_PATH": ":".join(map(str, folders)),
            "FONTCONFIG_PATH": f"{root / 'etc/fonts'}:/etc/fonts",
        },
    )


def _fetch(folder: Path, root: Path, environ: Mapping[str, str]) -> None:
    """Download and unpack in a scratch folder that becomes `root` when it is whole."""
    apt, dpkg = tool_on_path("apt-get", environ), tool_on_path("dpkg", environ)
    sys.stderr.write("chromium: unpacking Debian's packages, once; this takes a minute …\n")
    with tempfile.TemporaryDirectory(dir=folder, prefix="scratch-") as name:
        scratch = Path(name)
        for part in ("lists/partial", "cache/archives/partial", "root"):
            (scratch / part).mkdir(parents=True)
        # Lists and packages of our own, so that neither root nor apt's lock is needed.
        options = (
            f"Dir::State::lists={scratch}/lists", f"Dir::Cache={scratch}/cache",
            "Debug::NoLocking=1", "APT::Sandbox::User=",
        )  # fmt: skip
        own = [apt, "-q", "-y", *(part for option in options for part in ("-o", option))]
        run_tool([*own, "update"], cwd=scratch, environ=environ, seconds=_FETCH_SECONDS)
        install = ["--no-install-recommends", "--download-only", "install", "chromium"]
        run_tool([*own, *install], cwd=scratch, environ=environ, seconds=_FETCH_SECONDS)
        packages = sorted((scratch / "cache/archives").glob("*.deb"))
        if not packages:
            raise ToolchainError("apt-get has chromium installed, but it is not on PATH")
        for package in packages:
            run_tool(
                [dpkg, "-x", str(package), str(scratch / "root")], cwd=scratch, environ=environ
            )
        shutil.rmtree(root, ignore_errors=True)
        (scratch / "root").rename(root)


def _checked(found: FoundChromium) -> FoundChromium:
    try:
        subprocess.run(
            [found.path, "--version"],
            env={**os.environ, **found.variables},
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise ToolchainError(f"{found.path} does not run: {exc}") from exc
    return found

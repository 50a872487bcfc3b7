"""Finds what the local stack runs, and builds or fetches InfluxDB where there is none."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Literal

Api = Literal["v1", "v2"]

INFLUXDB_VERSION = "1.8.10"
"""The last of 1.x: v1 and v2 API and Flux, and buildable from the Go module proxy alone."""

_GO_PACKAGE = f"github.com/influxdata/influxdb/cmd/influxd@v{INFLUXDB_VERSION}"
_DEBIAN_PACKAGE = "influxdb"
_SCRATCH = "scratch-"
_VERSION_SECONDS = 30
_BUILD_SECONDS = 1800
_FETCH_SECONDS = 600
_MINISTACK_VENV = Path(__file__).parent.parent / ".venv-ministack"


class ToolchainError(Exception):
    """Something the local stack needs is missing; the text says what and every remedy."""


@dataclass(slots=True, frozen=True)
class FoundInfluxd:
    """A binary that runs, its version (`1.8.10`) and the write APIs that this version has."""

    path: Path
    version: str
    apis: frozenset[Api]


def describe_influxd(path: Path) -> FoundInfluxd:
    """Ask a binary what it is; ToolchainError when it does not run or is of no known version."""
    try:
        answer = subprocess.run(
            [path, "version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as exc:
        raise ToolchainError(f"{path} does not run: {exc}") from exc
    match = re.match(r"InfluxDB v?((\d+)\.(\d+)\.\S+)", answer)
    if match is None:
        raise ToolchainError(f"{path} does not name an InfluxDB version: {answer[:80]!r}")
    release = int(match[2]), int(match[3])
    if release < (1, 3) or release >= (3, 0):
        raise ToolchainError(f"{path} is InfluxDB {match[1]}; 1.3 to 2.x can be used")
    apis: frozenset[Api] = frozenset({"v1"} if release < (1, 8) else {"v1", "v2"})
    return FoundInfluxd(path, match[1], apis)


def find_influxd(environ: Mapping[str, str] = os.environ) -> FoundInfluxd:
    """The influxd to use, built or fetched into the cache folder if there is none yet.

    In this order: the one named by INGESTOR_TEST_INFLUXD (nothing else is tried then); the one on
    PATH; 1.8.10 from the cache folder, or built into it with Go; Debian's package, unpacked into
    the cache folder. One that does not run is passed over, with a line on standard error.
    """
    if named := environ.get("INGESTOR_TEST_INFLUXD"):
        try:
            return describe_influxd(Path(named).absolute())
        except ToolchainError as exc:
            raise ToolchainError(f"INGESTOR_TEST_INFLUXD: {exc}") from exc
    problems: list[str] = []
    for find in (_on_path, _built_with_go, _from_debian):
        try:
            return find(environ)
        except ToolchainError as exc:
            problems.append(str(exc))
    raise none_found(
        "There is no influxd, and none could be made",
        problems,
        "set INGESTOR_TEST_INFLUXD to an influxd binary, 1.8 or 2.x",
        "install InfluxDB 1.8 or 2.x, so that influxd is on PATH",
        "install Go 1.21 or later: influxd is then built, which takes a minute or two",
        "on Debian or Ubuntu, `apt-get install influxdb` (v1 API only)",
    )


def none_found(what: str, tried: Sequence[str], *remedies: str) -> ToolchainError:
    """Says that there is none, what was tried, and what helps."""
    problems = "\n".join(f"  - {each}" for each in tried)
    helps = ";\n".join(f"  - {each}" for each in remedies)
    return ToolchainError(f"{what}:\n{problems}\nOne of these helps:\n{helps}.")


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where what was built or fetched is kept from run to run."""
    if own := environ.get("INGESTOR_CACHE"):
        return Path(own).absolute()
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ingestor"


def ministack_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """How to start MiniStack, which lives in a virtual environment of its own."""
    named = environ.get("INGESTOR_MINISTACK")
    command = Path(named).absolute() if named else _MINISTACK_VENV / "bin" / "ministack"
    if not os.access(command, os.X_OK):
        remedy = "INGESTOR_MINISTACK names it" if named else "`make setup` installs it"
        raise ToolchainError(f"There is no MiniStack at {command}: {remedy}")
    return [str(command)]


def _on_path(environ: Mapping[str, str]) -> FoundInfluxd:
    path = Path(tool_on_path("influxd", environ))
    try:
        return describe_influxd(path)
    except ToolchainError as exc:
        _say(f"passed over: {exc}")
        raise


def _built_with_go(environ: Mapping[str, str]) -> FoundInfluxd:
    folder = cache_folder(environ) / f"influxdb-{INFLUXDB_VERSION}"
    binary = folder / "influxd"

    def build(scratch: Path) -> None:
        go = tool_on_path("go", environ)
        _say(f"building influxd {INFLUXDB_VERSION} with Go, once; this takes a minute or two …")
        run_tool(
            [go, "install", "-ldflags", f"-X main.version={INFLUXDB_VERSION}", _GO_PACKAGE],
            cwd=scratch,
            environ={
                **environ,
                "CGO_ENABLED": "0",
                "GOBIN": str(scratch),
                "GOFLAGS": "-mod=mod",
                "GOTMPDIR": str(scratch),
            },
            seconds=_BUILD_SECONDS,
        )
        describe_influxd(scratch / "influxd")
        (scratch / "influxd").rename(binary)

    return _made_once(binary, folder, build)


def _from_debian(environ: Mapping[str, str]) -> FoundInfluxd:
    folder = cache_folder(environ) / "influxdb-debian"
    unpacked = folder / "package"
    program = Path("usr", "bin", "influxd")

    def fetch(scratch: Path) -> None:
        apt, dpkg = tool_on_path("apt-get", environ), tool_on_path("dpkg", environ)
        _say("fetching Debian's influxd, once (it has the v1 API only) …")
        _download_package(apt, scratch, environ)
        package = scratch / "package"
        for file in scratch.glob("*.deb"):
            run_tool([dpkg, "-x", str(file), str(package)], cwd=scratch, environ=environ)
        describe_influxd(package / program)
        shutil.rmtree(unpacked, ignore_errors=True)
        package.rename(unpacked)

    return _made_once(unpacked / program, folder, fetch)


def _made_once(binary: Path, folder: Path, make: Callable[[Path], None]) -> FoundInfluxd:
    """The binary that is there, or that `make` makes in a scratch folder and moves there whole."""
    if found := _made_before(binary):
        return found
    try:
        with locked(folder):
            if found := _made_before(binary):  # while we waited for the lock
                return found
            for left in folder.glob(f"{_SCRATCH}*"):  # of somebody who was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
                make(Path(scratch))
    except OSError as exc:
        raise ToolchainError(f"{folder} cannot be used: {exc}") from exc
    return describe_influxd(binary)


def _made_before(binary: Path) -> FoundInfluxd | None:
    if not binary.exists():
        return None
    try:
        return describe_influxd(binary)
    except ToolchainError as exc:
        _say(f"making it anew: {exc}")
        return None


def _download_package(apt: str, scratch: Path, environ: Mapping[str, str]) -> None:
    """Download with the machine's package lists, or with own ones where those are empty or old.

    Neither needs root.
    """
    download = ["download", "-q", _DEBIAN_PACKAGE]
    try:
        run_tool([apt, *download], cwd=scratch, environ=environ)
    except ToolchainError:
        (scratch / "lists" / "partial").mkdir(parents=True)
        (scratch / "cache" / "archives" / "partial").mkdir(parents=True)
        own = ["-o", f"Dir::State::lists={scratch}/lists", "-o", f"Dir::Cache={scratch}/cache"]
        run_tool([apt, *own, "update", "-q"], cwd=scratch, environ=environ)
        run_tool([apt, *own, *download], cwd=scratch, environ=environ)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two runs never build at once; the second finds it done."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def tool_on_path(name: str, environ: Mapping[str, str]) -> str:
    """The path of a command; ToolchainError when there is none."""
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if path is None:
        raise ToolchainError(f"no {name} on PATH")
    return path


def run_tool(
    command: list[str],
    *,
    cwd: str | Path,
    environ: Mapping[str, str],
    seconds: float = _FETCH_SECONDS,
) -> None:
    """Run a command to its end; ToolchainError with its last words when it fails."""
    name = " ".join([Path(command[0]).name, *command[1:]])
    try:
        subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.CalledProcessError as exc:
        raise ToolchainError(f"`{name}` failed: {_last_lines(exc.stderr)}") from exc
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ToolchainError(f"`{name}` failed: {exc}") from exc


def _last_lines(text: str, *, count: int = 5) -> str:
    return " / ".join(text.strip().splitlines()[-count:]) or "without a word"


def _say(line: str) -> None:
    sys.stderr.write(f"influxd: {line}\n")
    sys.stderr.flush()


def main() -> int:
    """Print the path, version and APIs of the influxd; 1 and the remedies when there is none."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that scratch folders go
    try:
        found = find_influxd()
    except ToolchainError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(f"{found.path} {found.version} {' '.join(sorted(found.apis))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

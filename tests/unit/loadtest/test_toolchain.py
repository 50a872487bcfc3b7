"""An InfluxDB is found, built or fetched, whatever of it is there; else every remedy is named."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.toolchain import (
    ToolchainError,
    cache_folder,
    describe_influxd,
    find_influxd,
    ministack_command,
)

BUILD = """
echo "$@" "cgo=$CGO_ENABLED" >> "$LOG"
printf '#!/bin/sh\\necho "InfluxDB v1.8.10 (git: unknown unknown)"\\n' > "$GOBIN/influxd"
chmod +x "$GOBIN/influxd"
"""
UNPACK = """
mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\necho "InfluxDB v1.6.7~rc0 (git: unknown unknown)"\\n' > "$3/usr/bin/influxd"
chmod +x "$3/usr/bin/influxd"
"""


class Machine:
    """A machine that has nothing but what the test puts on its PATH."""

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "bin"
        self._bin.mkdir()
        self.cache = folder / "cache"
        self._log = folder / "log"
        self._log.touch()
        self.environ = {
            "PATH": str(self._bin),
            "INGESTOR_CACHE": str(self.cache),
            "LOG": str(self._log),
        }

    def install(self, name: str, script: str) -> Path:
        """Put an executable shell script on PATH."""
        path = self._bin / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)
        return path

    @property
    def log(self) -> list[str]:
        """What the fake tools were asked."""
        return self._log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with an empty PATH and an empty cache."""
    return Machine(tmp_path)


@pytest.fixture
def influxd(machine: Machine) -> Callable[[str], Path]:
    """Installs an influxd that names the given version."""
    return lambda version: machine.install("influxd", f"echo 'InfluxDB v{version} (git: x)'")


@pytest.mark.parametrize(
    ("version", "apis"),
    [
        ("1.3.0", {"v1"}),
        ("1.6.7~rc0", {"v1"}),
        ("1.8.10", {"v1", "v2"}),
        ("1.11.8", {"v1", "v2"}),
        ("2.7.12", {"v1", "v2"}),
    ],
)
def test_apis_of_a_version(
    influxd: Callable[[str], Path], version: str, apis: frozenset[str]
) -> None:
    """1.8 and everything later has the v2 API as well."""
    found = describe_influxd(influxd(version))

    assert (found.version, found.apis) == (version, apis)


@pytest.mark.parametrize("version", ["0.9.6", "1.2.4", "3.1.0"])
def test_versions_out_of_reach(influxd: Callable[[str], Path], version: str) -> None:
    """A version that was never tried is refused by its number."""
    with pytest.raises(ToolchainError, match=version):
        describe_influxd(influxd(version))


@pytest.mark.parametrize(
    ("script", "reason"), [("echo hello", "names? an InfluxDB version"), ("exit 3", "does not run")]
)
def test_something_else_called_influxd(machine: Machine, script: str, reason: str) -> None:
    """A program that is no InfluxDB, or does not run, is refused."""
    with pytest.raises(ToolchainError, match=reason):
        describe_influxd(machine.install("influxd", script))


def test_named_binary_comes_first(machine: Machine, influxd: Callable[[str], Path]) -> None:
    """INGESTOR_TEST_INFLUXD wins over the one on PATH."""
    influxd("1.8.10")
    named = machine.install("my-influxd", "echo 'InfluxDB v2.7.12 (git: x)'")

    found = find_influxd(machine.environ | {"INGESTOR_TEST_INFLUXD": str(named)})

    assert (found.path, found.version) == (named, "2.7.12")


def test_named_binary_is_the_only_one(machine: Machine, influxd: Callable[[str], Path]) -> None:
    """A wrong INGESTOR_TEST_INFLUXD is an error that names the variable, not a reason to guess."""
    influxd("1.8.10")

    with pytest.raises(ToolchainError, match="INGESTOR_TEST_INFLUXD: /nowhere/influxd"):
        find_influxd(machine.environ | {"INGESTOR_TEST_INFLUXD": "/nowhere/influxd"})


def test_path_comes_before_building(machine: Machine, influxd: Callable[[str], Path]) -> None:
    """An influxd on PATH is used although Go is there, too."""
    machine.install("go", BUILD)
    path = influxd("2.7.12")

    assert find_influxd(machine.environ).path == path
    assert machine.log == []


def test_built_once(machine: Machine) -> None:
    """With Go, 1.8.10 is built without a C compiler; the second time it is there."""
    machine.install("go", BUILD)

    first, second = find_influxd(machine.environ), find_influxd(machine.environ)

    assert first == second
    assert (first.version, first.apis) == ("1.8.10", {"v1", "v2"})
    assert first.path.is_relative_to(machine.cache)
    package = "github.com/influxdata/influxdb/cmd/influxd@v1.8.10"
    assert machine.log == [f"install -ldflags -X main.version=1.8.10 {package} cgo=0"]


def test_one_that_does_not_run_is_passed_over(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken influxd on PATH is told of, and another one is built."""
    broken = machine.install("influxd", "exit 1")
    machine.install("go", BUILD)

    assert find_influxd(machine.environ).version == "1.8.10"
    assert f"passed over: {broken}" in capsys.readouterr().err


def test_interrupted_build(machine: Machine) -> None:
    """What a killed build left is removed, and the next one succeeds."""
    machine.install("go", BUILD)
    left = machine.cache / "influxdb-1.8.10" / "scratch-killed"
    left.mkdir(parents=True)

    found = find_influxd(machine.environ)

    assert sorted(entry.name for entry in found.path.parent.iterdir()) == ["influxd", "lock"]


def test_broken_cache(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """A binary of the cache that does not run (any more, or here) is built again."""
    machine.install("go", BUILD)
    find_influxd(machine.environ).path.write_text("of another processor")

    assert find_influxd(machine.environ).version == "1.8.10"
    assert "making it anew" in capsys.readouterr().err
    assert len(machine.log) == 2


def test_builds_wait_for_each_other(machine: Machine) -> None:
    """Of two programs at the same time one builds, and the other uses what it built."""
    machine.install("go", f"sleep 0.3\n{BUILD}")
    program = [sys.executable, "-m", "loadtest.toolchain"]

    both = [subprocess.Popen(program, env=machine.environ, stdout=subprocess.PIPE) for _ in "ab"]
    outputs = {process.communicate()[0] for process in both}

    assert [process.returncode for process in both] == [0, 0]
    assert len(outputs) == 1
    assert len(machine.log) == 1


def test_debian(machine: Machine) -> None:
    """Without Go, Debian's package is downloaded and unpacked, nothing is installed."""
    machine.install("apt-get", 'echo "apt-get $@" >> "$LOG"; touch influxdb_1.6.7_amd64.deb')
    machine.install("dpkg", UNPACK)

    first, second = find_influxd(machine.environ), find_influxd(machine.environ)

    assert first == second
    assert (first.version, first.apis) == ("1.6.7~rc0", {"v1"})
    assert machine.log == ["apt-get download -q influxdb"]


def test_debian_without_package_lists(machine: Machine) -> None:
    """Where the machine's package lists do not help, own ones are fetched."""
    downloads = 'case "$*" in "download -q influxdb") exit 100;; *download*) touch i.deb;; esac'
    machine.install("apt-get", f'echo "$@" >> "$LOG"\n{downloads}')
    machine.install("dpkg", UNPACK)

    assert find_influxd(machine.environ).version == "1.6.7~rc0"
    assert machine.log[0] == "download -q influxdb"
    update, download = machine.log[1:]
    assert update.startswith("-o Dir::State::lists=")
    assert update.endswith(" update -q")
    assert download == update.replace("update -q", "download -q influxdb")


def test_nothing_helps(machine: Machine) -> None:
    """The error says why each way failed and names every remedy."""
    machine.install("go", "echo 'no space left on device' >&2; exit 1")

    with pytest.raises(ToolchainError) as caught:
        find_influxd(machine.environ)

    for words in (
        "no influxd on PATH",
        "no space left on device",
        "no apt-get on PATH",
        "INGESTOR_TEST_INFLUXD",
        "install Go",
        "apt-get install influxdb",
    ):
        assert words in str(caught.value)


def test_unusable_cache(machine: Machine) -> None:
    """A cache folder that cannot be made is an error that names it."""
    machine.install("go", BUILD)
    machine.cache.write_text("a file")

    with pytest.raises(ToolchainError, match=f"{machine.cache}.* cannot be used"):
        find_influxd(machine.environ)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"INGESTOR_CACHE": "/a"}, Path("/a")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/ingestor")),
        ({}, Path.home() / ".cache" / "ingestor"),
    ],
)
def test_cache_folder(environ: dict[str, str], folder: Path) -> None:
    """The cache is where the user, the desktop's convention or the home folder says."""
    assert cache_folder(environ) == folder


def test_named_ministack(machine: Machine) -> None:
    """INGESTOR_MINISTACK names the one to run."""
    path = machine.install("ministack", "true")

    assert ministack_command({"INGESTOR_MINISTACK": str(path)}) == [str(path)]


def test_missing_ministack() -> None:
    """A named MiniStack that is not there is an error that names the variable."""
    with pytest.raises(ToolchainError, match="/nowhere: INGESTOR_MINISTACK names it"):
        ministack_command({"INGESTOR_MINISTACK": "/nowhere"})


def test_command_line_without_an_influxd(machine: Machine) -> None:
    """The command ends with 1 and the remedies on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.toolchain"],
        env=machine.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "One of these helps" in done.stderr

"""Makes this folder ready for a make target: `.venv`, `.venv-…` and influxd, once.

Run by the system's Python, and therefore with its library alone:
`python3 -m loadtest.bootstrap demo` for what the demo needs, `dev` for tests and checks, too.
What is there is left alone, so that a second run takes a moment and downloads nothing. An
environment is either complete, which its stamp says, or made anew: whatever interrupted a set-up,
the next one mends it.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

STAMP = "ingestor-setup.json"
_INSTALLER = "requirements-uv.txt"
_MINISTACK = "requirements-ministack.txt"
_CFN = "requirements-cfn.txt"
_PROJECT = "pyproject.toml"
_SETS = {"demo": "requirements-demo.txt", "dev": "requirements-dev.txt"}  # each holds the former
_PIP_ONLY = ("index-url", "proxy", "trusted-host", "client-cert")
_TAIL_LINES = 15


class SetupError(Exception):
    """Something could not be set up; the text says what and, where there is one, the remedy."""


class Environment:
    """A virtual environment that is complete, or made anew.

    Its stamp holds a digest of everything that was installed from. It is taken away before
    anything is changed and written when all is done.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self.folder = root / name
        self.python = self.folder / "bin" / "python"
        self._stamp = self.folder / STAMP
        self._held = self._read()

    def holds(self, source: str) -> bool:
        """Whether this file of the project is installed, as it reads now."""
        return source in self._held and self._held[source] == self._digest(source)

    @property
    def is_current(self) -> bool:
        """Whether it is complete, of this Python, in this place, and from files that still are."""
        return bool(self._held) and all(map(self.holds, self._held.keys() - {_PROJECT}))

    def create(self, *options: str) -> None:
        """Make it anew and empty."""
        self._held = {}
        shutil.rmtree(self.folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", *options, str(self.folder)], cwd=self._root)

    @contextlib.contextmanager
    def adding(self, *sources: str) -> Iterator[None]:
        """Around the installation of these files: complete before and after, or not at all."""
        self._stamp.unlink(missing_ok=True)
        yield
        for source in ("python", *sources):
            self._held[source] = self._digest(source)
        draft = self._stamp.with_suffix(".draft")
        draft.write_text(json.dumps(self._held, indent=2) + "\n")
        draft.rename(self._stamp)

    def _read(self) -> dict[str, str]:
        try:
            held = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}

    def _digest(self, source: str) -> str:
        if source == "python":  # scripts in it hold its path
            return f"{sys.version} in {self.folder}"
        try:
            return hashlib.sha256((self._root / source).read_bytes()).hexdigest()
        except FileNotFoundError:
            return "missing"


class Setup:
    """The set-up of one checkout. `environ` are the variables for pip, uv and influxd's build."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = environ
        self._main = Environment(root, ".venv")
        self._ministack = Environment(root, ".venv-ministack")
        self._cfn = Environment(root, ".venv-cfn")
        self._uv = self._main.folder / "bin" / "uv"
        self._has_uv = self._uv.exists()

    def python(self, target: str) -> None:
        """Install the `demo` or the `dev` set and the project itself, as far as need be."""
        main, needed = self._main, _SETS[target]
        if not main.is_current:
            say("installing into .venv …")
            main.create()
            with main.adding(_INSTALLER):
                self._install_uv()
        # Whoever has tested and then shows the demo keeps what the tests need.
        if not any(main.holds(source) for source in {needed, _SETS["dev"]}):
            say(f"installing {self._count(needed)} packages{self._patience()} …")
            with main.adding(needed):
                self._install(main, "--require-hashes", "--no-deps", "-r", needed)
        if not main.holds(_PROJECT):
            with main.adding(_PROJECT):
                self._install(main, "--no-deps", "--no-build-isolation", "-e", ".")

    def ministack(self) -> None:
        """Install MiniStack, unless the user names one of their own."""
        if not self._environ.get("INGESTOR_MINISTACK"):
            self._apart(self._ministack, _MINISTACK)

    def console(self, target: str) -> None:
        """Build the console's page. Without it the demo runs, too, and shows the status page."""
        build = [str(self._main.python), "-m", "loadtest.console"]
        try:
            words = run(
                build + ["--dev"] * (target == "dev"), cwd=self._root, environ=self._environ
            )
        except SetupError as exc:
            if target == "dev":
                raise
            say(f"there is no console, a plain status page stands in for it: {exc}")
        else:
            for line in words.splitlines():
                say(line)

    def cfn(self) -> None:
        """Install what checks and deploys the templates."""
        self._apart(self._cfn, _CFN)

    def _apart(self, target: Environment, source: str) -> None:
        if not target.is_current:
            say(f"installing {self._count(source)} packages into {target.folder.name} …")
            target.create("--without-pip")
            with target.adding(source):
                self._install(target, "--require-hashes", "--no-deps", "-r", source)

    def _install_uv(self) -> None:
        """Uv installs in seconds what takes pip a minute; where it cannot be had, pip will do."""
        self._has_uv = False
        pip = [str(self._main.python), "-m", "pip"]
        settings = run([*pip, "config", "list"], cwd=self._root, environ=self._environ)
        if any(f"{name}=" in settings for name in _PIP_ONLY):
            return  # uv does not read them
        with contextlib.suppress(SetupError):
            install = [*pip, "install", "-q", "--require-hashes", "--no-deps", "-r", _INSTALLER]
            run(install, cwd=self._root, environ=self._environ)
        self._has_uv = self._uv.exists()

    def _install(self, target: Environment, *what: str) -> None:
        python = str(target.python)
        if self._has_uv:
            try:
                run(
                    [str(self._uv), "pip", "install", "-q", "--python", python, *what],
                    cwd=self._root,
                    environ={"UV_SYSTEM_CERTS": "1", **self._environ},
                )
            except SetupError as exc:
                say(f"trying again with pip: {exc}")
            else:
                return
        pip = [str(self._main.python), "-m", "pip", "--python", python]
        run([*pip, "install", "-q", *what], cwd=self._root, environ=self._environ)

    def _patience(self) -> str:
        return "" if self._has_uv else " with pip, which takes a minute or two"

    def _count(self, source: str) -> int:
        return sum(line[:1].isalnum() for line in (self._root / source).read_text().splitlines())


@contextlib.contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Let one set-up at a time work in a checkout; the next one waits, and finds it all done."""
    with (root / _PROJECT).open() as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            say("waiting for another make that sets up this folder …")
            flock(lock, LOCK_EX)
        yield


@contextlib.contextmanager
def influxd_beside(root: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Find or build influxd while the block runs, and wait for it: it needs the longest."""
    builder = subprocess.Popen(
        [sys.executable, "-m", "loadtest.toolchain"],
        cwd=root,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        process_group=0,  # to end its compilers with it
    )
    try:
        yield
        if builder.wait() != 0:
            raise SetupError("there is no InfluxDB; the lines above say what helps")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(builder.pid, signal.SIGTERM)
        builder.wait()


def run(command: list[str], *, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    """The standard output of a command; SetupError with the end of its words when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as exc:
        raise SetupError(f"{command[0]} cannot be run: {exc}") from exc
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip().splitlines()[-_TAIL_LINES:]
        raise SetupError("\n  ".join([f"`{' '.join(command)}` failed:", *words]))
    return done.stdout


def say(line: str) -> None:
    """Tell the user what is being done."""
    sys.stderr.write(f"setup: {line}\n")
    sys.stderr.flush()


def check_python() -> None:
    """Refuse a Python that cannot make virtual environments."""
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"{sys.executable} has no ensurepip, which virtual environments need. On Debian and "
            "Ubuntu `apt-get install python3-venv` brings it; `make PYTHON=…` takes another Python."
        )


def main(arguments: list[str] | None = None) -> int:
    """0 when all is ready, 1 with the reason when not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=_SETS)
    target = parser.parse_args(arguments).target
    root = Path(__file__).parent.parent
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: children end, too
    started = time.monotonic()
    try:
        check_python()
        with only_one(root), influxd_beside(root, os.environ):
            setup = Setup(root, os.environ)
            setup.python(target)
            setup.console(target)
            setup.ministack()
            if target == "dev":
                setup.cfn()
    except SetupError as exc:
        say(str(exc))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next run mends it")
        return 130
    if (seconds := time.monotonic() - started) > 3:  # noqa: PLR2004 - silent when it did nothing
        say(f"ready after {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

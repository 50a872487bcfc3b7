"""A copy of the project that can be broken, in which its tests run."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_END_SECONDS = 20.0
"""How long pytest may take to stop its servers after SIGINT."""


class Scratch:
    """The tracked files of `root` as they are now, in a folder that goes with the block.

    Its virtual environment finds the packages of the present one, and the copy in place of the
    project itself, in whatever folder and with whatever variables a test starts a process.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="ingestor-prove-"))
        try:
            self._copy()
            self._make_environment()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def wrong(self, file: str) -> str:
        """Why a file cannot be meant: it does not import, or names what there is not; or empty."""
        if not file.endswith(".py"):
            return ""
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        ruff = self._root / ".venv" / "bin" / "ruff"
        for command in (
            [str(ruff), "check", "--isolated", "-q", "--select", "E9,F821,F822,F823", file],
            [self._python, "-c", f"import {module}"],
        ):
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60
            )
            if done.returncode:
                return (done.stdout or done.stderr).strip()[-500:]
        return ""

    def run(
        self, tests: Sequence[str], *options: str, seconds: float
    ) -> tuple[int | None, dict[str, dict[str, str]]]:
        """Pytest's exit code, None when time ran out, and how each test ended (see Verdicts)."""
        verdicts = self.folder / "verdicts.json"
        verdicts.unlink(missing_ok=True)
        command = [self._python, "-m", "support.verdicts", str(verdicts), "-q", "--no-header"]
        command += ["-p", "no:cacheprovider", *options, *tests]
        with (self.folder / "output").open("wb") as output:
            self._process = process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PATIENCE_SECONDS": "45"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None, {}
            finally:
                _end(process)
        found = json.loads(verdicts.read_text()) if verdicts.exists() else {}
        return process.returncode, found

    def stop(self) -> None:
        """End the run that another thread waits for, if there is one."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def output(self) -> str:
        """What the last run has printed, its end."""
        return (self.folder / "output").read_text(errors="replace")[-3000:]

    @property
    def _python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    def _copy(self) -> None:
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git the user has
            cwd=self._root,
            capture_output=True,
            check=True,
        ).stdout
        for name in filter(None, names.decode().split("\0")):
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # deleted, and not yet committed
                shutil.copy2(self._root / name, target, follow_symlinks=False)

    def _make_environment(self) -> None:
        venv.create(self.folder / ".venv", symlinks=True)
        [packages] = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        # Lines of a .pth file are searched in order, and those of the named folders are not read:
        # the project's own, which leads back to `root`, is none of this environment.
        own = (self.folder, self.folder / "tests", sysconfig.get_path("purelib"))
        (packages / "project.pth").write_text("".join(f"{path}\n" for path in own))
        for name in (".venv-ministack", ".venv-cfn"):
            if (self._root / name).exists():
                (self.folder / name).symlink_to(self._root / name)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a pytest so that it stops what it has started; whatever is left of it is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

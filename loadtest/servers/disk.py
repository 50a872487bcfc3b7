"""A disk so small that it can be filled: the only honest way to show what a full one does."""

import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.servers.process import ServerError

_MOUNT = 'mount -t tmpfs -o "size=$1m" tmpfs "$2" && echo mounted && exec cat'


class SmallDisk:
    """A tmpfs that only those see who enter its mount namespace, as a context manager.

    It lives as long as a process that waits for the end of its input, and so never longer than
    its user. It takes root, or a kernel that lets users have namespaces of their own; ServerError
    when there is neither.
    """

    def __init__(self, mebibytes: int) -> None:
        self._mebibytes = mebibytes

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ingestor-disk-")
        self.folder = Path(self._folder.name)
        """Where programs that were started by `enter` find it."""
        own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self._enter = ["--user", "--preserve-credentials"] if own_user else []
        try:
            self._holder = subprocess.Popen(
                [
                    *("unshare", *own_user, "--mount"),
                    *("sh", "-c", _MOUNT, "sh", str(self._mebibytes), str(self.folder)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as exc:
            self._folder.cleanup()
            raise ServerError(f"a disk that can be filled takes util-linux: {exc}") from exc
        assert self._holder.stdout is not None  # noqa: S101 - it is a pipe
        if self._holder.stdout.readline() != "mounted\n":
            _, errors = self._holder.communicate()
            self._folder.cleanup()
            raise ServerError(
                "a disk that can be filled takes the right to mount (root with CAP_SYS_ADMIN, or "
                f"user namespaces): {errors.strip()}"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._holder.communicate()
        self._folder.cleanup()

    def enter(self, command: list[str]) -> list[str]:
        """The command, run where the disk is."""
        return ["nsenter", "--target", str(self._holder.pid), *self._enter, "--mount", *command]

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(64 * 1024))
            except OSError:
                return

    def free(self) -> None:
        """Take away what `fill` has put there."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self._holder.pid}/root{self.folder}/filler")

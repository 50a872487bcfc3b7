"""A small checkout whose set-up needs no network: its packages are wheels made on the spot."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

PROJECT = """\
[project]
name = "ingestor"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
# Builds a wheel that has nothing but its own name: enough to be installed and asked for.
BACKEND = """\
import os, sys
sys.path.insert(0, os.environ["TESTS"])
from support.checkout import wheel

def build_editable(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, "ingestor").name
"""
# Says what it is asked, and does it with pip.
UV = """\
#!/bin/bash
echo "uv $*" >> "$LOG"
here=$(dirname "$0")
eval "$UV_DOES"
exec "$here/python" -m pip --python "$5" install -q "${@:6}"
"""
# Builds nothing, or fails with these words.
CONSOLE = "import os, sys; sys.exit(os.environ.get('CONSOLE_SAYS'))"


def wheel(folder: Path | str, name: str, files: Mapping[str, str] | None = None) -> Path:
    """Write version 1.0 of a package without code, with these further files."""
    path = Path(folder) / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    contents = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(files or {}),
    }
    record = []
    for file, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record.append(f"{file},sha256={digest.decode()},{len(text)}")
    contents[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in contents.items():
            entry = zipfile.ZipInfo(file)
            entry.external_attr = (0o100755 if "/scripts/" in file else 0o100644) << 16
            archive.writestr(entry, text)
    return path


class Checkout:
    """A folder with the project's real set-up, and made-up packages to install."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self._wheels = folder / "wheels"
        self._log = folder / "log"
        loadtest = self.root / "loadtest"
        loadtest.mkdir(parents=True)
        self._wheels.mkdir()
        self._log.touch()
        for name in ("__init__.py", "bootstrap.py", "toolchain.py"):
            shutil.copy(ROOT / "loadtest" / name, loadtest)
        (loadtest / "console.py").write_text(CONSOLE)
        (self.root / "pyproject.toml").write_text(PROJECT)
        (self.root / "backend.py").write_text(BACKEND)
        wheel(self._wheels, "uv", {"uv-1.0.data/scripts/uv": UV})
        for name in ("service", "tests", "ministack", "cfn"):
            wheel(self._wheels, name)
        self.require("requirements-uv.txt", "uv")
        self.require("requirements-demo.txt", "service")
        self.require("requirements-dev.txt", "service", "tests")
        self.require("requirements-ministack.txt", "ministack")
        self.require("requirements-cfn.txt", "cfn")
        influxd = folder / "influxd"
        influxd.write_text("#!/bin/sh\necho 'InfluxDB v1.8.10 (git: x)'\n")
        influxd.chmod(0o755)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
        self.environ = {
            **inherited,
            "INGESTOR_MINISTACK": "",
            "INGESTOR_TEST_INFLUXD": str(influxd),
            "LOG": str(self._log),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_FIND_LINKS": str(self._wheels),
            "PIP_NO_INDEX": "1",
            "TESTS": str(ROOT / "tests"),
        }

    def require(self, file: str, *names: str, comment: str = "") -> None:
        """Write a requirement file of these packages, with their hashes."""
        lines = [f"# {comment}"]
        for name in names:
            digest = hashlib.sha256((self._wheels / f"{name}-1.0-py3-none-any.whl").read_bytes())
            lines.append(f"{name}==1.0 \\\n    --hash=sha256:{digest.hexdigest()}")
        (self.root / file).write_text("\n".join([*lines, ""]))

    def command(self, target: str) -> list[str]:
        """What `make` runs."""
        return [sys.executable, "-m", "loadtest.bootstrap", target]

    def set_up(self, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up to its end."""
        return subprocess.run(
            self.command(target),
            cwd=self.root,
            env=self.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def log(self) -> list[str]:
        """What uv was asked to install, one entry a call."""
        return [line.split()[-1] for line in self._log.read_text().splitlines()]

    def installed(self, environment: str = ".venv") -> set[str]:
        """The packages of a virtual environment, without pip and setuptools."""
        (packages,) = (self.root / environment / "lib").glob("python*/site-packages")
        names = {path.name.split("-")[0] for path in packages.glob("*.dist-info")}
        return names - {"pip", "setuptools"}

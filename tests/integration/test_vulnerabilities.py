"""Known vulnerabilities fail `make check`; a service that does not answer is shown, not hidden."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent

CLEAN = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
FINDING = {"id": "PYSEC-2026-1", "fix_versions": ["9.9.9"]}
GUILTY = {"name": "jinja2", "version": "3.1.6", "vulns": [FINDING]}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found"}


def audit(folder: Path, output: str, *, status: int) -> tuple[int, str]:
    """Status and words of the check, where pip-audit answers so."""
    program = f"import sys\nprint({output!r})\nprint('no route to host', file=sys.stderr)\n"
    (folder / "pip_audit.py").write_text(f"{program}sys.exit({status})\n")
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit.py", "requirements.txt"],
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([CLEAN], 0, "requirements.txt: 1 packages audited, 0 findings\n"),
        (
            [CLEAN, UNKNOWN],
            0,
            (
                "requirements.txt: 1 packages audited, 0 findings; NOT AUDITED: 1 unknown to the "
                "service\n"
            ),
        ),
        (
            [CLEAN, GUILTY],
            1,
            (
                "requirements.txt: 2 packages audited, 1 findings\n"
                "  jinja2 3.1.6: PYSEC-2026-1, fixed in 9.9.9\n"
            ),
        ),
    ],
)
def test_answers(tmp_path: Path, packages: list[dict[str, Any]], status: int, words: str) -> None:
    """A finding alone fails, and a package that nobody knows is counted apart."""
    output = json.dumps({"dependencies": packages})

    assert audit(tmp_path, output, status=status) == (status, words)


def test_no_answer(tmp_path: Path) -> None:
    """Where pip-audit reached nobody the check passes, and says that nothing was audited."""
    words = "requirements.txt: NOT AUDITED: no route to host\n"

    assert audit(tmp_path, "", status=1) == (0, words)

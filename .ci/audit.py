# ruff: noqa: INP001 - a script in a hidden folder, not a module
"""Fails on known vulnerabilities; says so, and does not fail, where nobody could be asked.

pip-audit ends with 1 both for a finding and for a service that it cannot reach, and with 0 where
the service knew no package. A check that depends on somebody else's service must tell the three
apart: findings fail, silence is shown.

    python .ci/audit.py requirements.txt …
"""

import json
import subprocess
import sys
from collections.abc import Sequence


def audit(file: str) -> tuple[list[str], str]:
    """The findings in one hashed requirement file, and a line that says what was looked at."""
    command = ["pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    done = subprocess.run(  # noqa: S603 - a fixed command on the project's own files
        [sys.executable, "-m", *command, "--format=json", "-r", file],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        words = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        return [], f"NOT AUDITED: {words[-1][:300]}"
    asked = [package for package in packages if "skip_reason" not in package]
    findings = [
        f"  {package['name']} {package['version']}: {finding['id']}, "
        f"fixed in {', '.join(finding['fix_versions']) or 'no version yet'}"
        for package in asked
        for finding in package["vulns"]
    ]
    unknown = len(packages) - len(asked)
    line = f"{len(asked)} packages audited, {len(findings)} findings"
    return findings, f"{line}; NOT AUDITED: {unknown} unknown to the service" if unknown else line


def main(files: Sequence[str]) -> int:
    """1 when there is a finding in any of the files."""
    found = False
    for file in files:
        findings, line = audit(file)
        sys.stdout.writelines(f"{each}\n" for each in (f"{file}: {line}", *findings))
        found = found or bool(findings)
    return int(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

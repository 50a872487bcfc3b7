"""`make prove`: each row's tests must fail when what they guard is broken.

In a copy of the project the rows' tests run once as they are, and must pass. Then, row after row,
the break of `fNN.toml` is applied, each of the row's tests must fail in its own body, by what it
asserts, and the break is taken back. A break that does not import, a test that is not collected,
a fixture that fails or a run without an end prove nothing. `build/prove.json` keeps the verdicts.
"""

import json
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from support.rows import NAMES, ROOT, Row, mistakes, read_rows
from support.scratch import Scratch

ROW_SECONDS = 300.0
ALL_SECONDS = 1800.0
REPORT = ROOT / "build" / "prove.json"
_FAILED = 1
"""pytest's exit code for tests that failed, and no other trouble."""
_NO_PROOF = re.compile(r"(ImportError|ModuleNotFoundError|SyntaxError|NameError)\b")


@dataclass(frozen=True)
class Verdict:
    """Whether a row's tests noticed its break, and by which words or why not."""

    row: str
    proved: bool
    why: str
    seconds: float


def judge(tests: Sequence[str], code: int | None, found: Mapping[str, Mapping[str, str]]) -> str:
    """Why a run with a break proves nothing; empty when each of the tests failed as it should."""
    if code is None:
        return "the tests did not come to an end"
    if code not in {0, _FAILED}:
        return f"pytest ended with {code}: the tests did not run"
    for test in tests:
        cases = _cases(test, found)
        failures = [phases["call"] for phases in cases.values() if "call" in phases]
        if not cases:
            return f"{test} did not run"
        if not failures:
            errors = [message for phases in cases.values() for message in phases.values()]
            return f"{test} {f'failed outside its body: {errors[0]}' if errors else 'passed'}"
        if bad := next(filter(_NO_PROOF.match, failures), None):
            return f"{test} failed for a mistake of the break: {bad}"
    return ""


def _cases(test: str, found: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """The cases of a test that is named without its parameters, or the one that is named."""
    return {node: found[node] for node in found if node == test or node.startswith(f"{test}[")}


def _prove(scratch: Scratch, name: str, row: Row) -> Verdict:
    """Break, run, restore."""
    begun = time.monotonic()
    file = scratch.folder / row.broken.file
    before = file.read_text()
    file.write_text(row.broken.apply(before))
    try:
        why, words = scratch.wrong(row.broken.file), ""
        if why:
            why = f"the break is a mistake: {why}"
        else:
            code, found = scratch.run(row.tests, "-n0", "--timeout=0", seconds=ROW_SECONDS)
            why = judge(row.tests, code, found)
            calls = (p["call"] for p in _cases(row.tests[0], found).values() if "call" in p)
            words = next(calls, "")
    finally:
        file.write_text(before)
    return Verdict(name, not why, why or words, round(time.monotonic() - begun, 1))


def _passing(scratch: Scratch, rows: Mapping[str, Row]) -> bool:
    """Whether all tests pass as they are, in this copy and with its patience."""
    tests = sorted({test for row in rows.values() for test in row.tests})
    code, _ = scratch.run(tests, seconds=ALL_SECONDS)
    return code == 0


def main(names: Sequence[str]) -> int:
    """1 when any of the rows is not proved, 2 when they cannot be tried."""
    out = Console(soft_wrap=True, markup=False, highlight=False)
    rows = read_rows()
    rows = {name: rows[name] for name in (names or NAMES) if name in rows}
    wrong = [f"{name}: {each}" for name, row in rows.items() for each in mistakes(name, row)]
    wrong += [f"there is no row {name}" for name in names or NAMES if name not in rows]
    if wrong:
        out.print("\n".join(wrong))
        return 2
    verdicts = []
    with Scratch(ROOT) as scratch:
        out.print(f"Running the tests of {len(rows)} rows as they are …")
        if not _passing(scratch, rows):
            out.print(scratch.output())
            return 2
        for name, row in rows.items():
            verdicts.append(_prove(scratch, name, row))
            out.print(f"{name} {'proved' if verdicts[-1].proved else 'NOT PROVED'}: {row.fault}")
            if not verdicts[-1].proved:
                out.print(scratch.output())
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(verdict) for verdict in verdicts], indent=2) + "\n")
    _show(verdicts)
    return int(not all(verdict.proved for verdict in verdicts))


def _show(verdicts: Sequence[Verdict]) -> None:
    table = Table("row", "proved", "s", "by the words, or why not")
    for verdict in verdicts:
        words = " ".join(verdict.why.split())[:160]
        proved = "yes" if verdict.proved else "NO"
        table.add_row(verdict.row, proved, f"{verdict.seconds:.0f}", words)
    Console(markup=False, highlight=False).print(table)


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

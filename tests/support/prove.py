"""`make prove`: each row's tests must fail when what they guard is broken.

In a copy of the project the rows' tests run once as they are, and must pass. Then, for each row,
every break of `fNN.toml` is applied in turn, each case of its tests must fail in its own body, by
what it asserts, and the break is taken back. A break that does not import, a test that is not
collected, a fixture that fails or a run without an end prove nothing. `build/prove.json` keeps the
verdicts.

Tests that fail mostly wait, in vain, for what does not come: so a few rows are tried side by side,
each in a copy of its own.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from support.rows import NAMES, ROOT, Break, Row, mistakes, read_rows
from support.scratch import Scratch

PART_SECONDS = 300.0
AT_ONCE = (os.cpu_count() or 1) + 1
"""Rows side by side."""
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
    output: str = ""


def judge(tests: Sequence[str], code: int | None, found: Mapping[str, Mapping[str, str]]) -> str:
    """Why a run with a break proves nothing; empty when each of the tests failed as it should."""
    if code is None:
        return "the tests did not come to an end"
    if code not in {0, _FAILED}:
        return f"pytest ended with {code}: the tests did not run"
    for test in tests:
        cases = _cases(test, found)
        if not cases:
            return f"{test} did not run"
        for case, phases in cases.items():
            if "call" not in phases:
                errors = [*phases.values()]
                return f"{case} {f'failed outside its body: {errors[0]}' if errors else 'passed'}"
            if _NO_PROOF.match(phases["call"]):
                return f"{case} failed for a mistake of the break: {phases['call']}"
    return ""


def _cases(test: str, found: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """The cases of a test that is named without its parameters, or the one that is named."""
    return {node: found[node] for node in found if node == test or node.startswith(f"{test}[")}


def _prove(scratch: Scratch, name: str, row: Row) -> Verdict:
    """Try each break of a row, up to the first that is not noticed."""
    begun = time.monotonic()
    said = []
    why = ""
    for n, (tests, broken) in enumerate(row.parts, 1):
        why, words = _try(scratch, tests, broken)
        said.append(words)
        if why:
            why = f"break {n} of {len(row.parts)}: {why}"
            break
    seconds = round(time.monotonic() - begun, 1)
    return Verdict(name, not why, why or " | ".join(said), seconds, scratch.output() if why else "")


def _try(scratch: Scratch, tests: Sequence[str], broken: Break) -> tuple[str, str]:
    """Break, run, restore; why that proves nothing, or empty, and by which words a test failed."""
    file = scratch.folder / broken.file
    before = file.read_text()
    file.write_text(broken.apply(before))
    try:
        if mistake := scratch.wrong(broken.file):
            return f"the break is a mistake: {mistake}", ""
        code, found = scratch.run(tests, "-n0", "--timeout=0", seconds=PART_SECONDS)
    finally:
        file.write_text(before)
    calls = (p["call"] for p in _cases(tests[0], found).values() if "call" in p)
    return judge(tests, code, found), next(calls, "")


def _passing(scratch: Scratch, rows: Mapping[str, Row]) -> bool:
    """Whether all tests pass as they are, in this copy and with its patience."""
    tests = sorted({test for row in rows.values() for test in row.all_tests})
    code, _ = scratch.run(tests, seconds=ALL_SECONDS)
    return code == 0


def _verdicts(copies: Sequence[Scratch], rows: Mapping[str, Row]) -> Iterator[Verdict]:
    """Of all rows, in their order, tried side by side in these copies."""
    free: SimpleQueue[Scratch] = SimpleQueue()
    for each in copies:
        free.put(each)

    def prove(name: str) -> Verdict:
        scratch = free.get()
        try:
            return _prove(scratch, name, rows[name])
        finally:
            free.put(scratch)

    pool = ThreadPoolExecutor(len(copies))
    try:
        yield from pool.map(prove, rows)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for each in copies:
            each.stop()
        pool.shutdown()


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
    with ExitStack() as stack:
        copies = [stack.enter_context(Scratch(ROOT)) for _ in range(min(AT_ONCE, len(rows)))]
        out.print(f"Running the tests of {len(rows)} rows as they are …")
        if not _passing(copies[0], rows):
            out.print(copies[0].output())
            return 2
        for verdict in _verdicts(copies, rows):
            verdicts.append(verdict)
            said = "proved" if verdict.proved else "NOT PROVED"
            out.print(f"{verdict.row} {said} ({verdict.seconds:.0f} s): {rows[verdict.row].fault}")
            if not verdict.proved:
                out.print(verdict.output)
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

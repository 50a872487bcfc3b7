"""The fault catalogue as files: `tests/faults/rows/fNN.toml`, one row each.

`python -m support.rows`, with `tests` on the path, renews their table in `tests/README.md`.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "tests" / "faults" / "rows"
README = ROOT / "tests" / "README.md"
NAMES = tuple(f"f{number:02}" for number in range(1, 57))
"""Every row that there must be."""

_BEGIN, _END = "<!-- rows -->\n", "<!-- /rows -->"


class Break(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the code that breaks the promise: `find` becomes `replace`, in one place."""

    file: str
    find: str
    replace: str

    def apply(self, text: str) -> str:
        """The broken text; ValueError unless there is exactly one place, and it changes."""
        find, replace = self.find.strip("\n"), self.replace.strip("\n")
        if find == replace:
            raise ValueError("the replacement changes nothing")
        if not find.strip() or (count := text.count(find)) != 1:
            where = "empty" if not find.strip() else f"{count} times"
            raise ValueError(f"what to find is {where} in {self.file}, not once")
        return text.replace(find, replace)


class Part(Break, frozen=True, forbid_unknown_fields=True):
    """A further part of a promise: its own break, and the tests that must notice it."""

    tests: tuple[str, ...]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may happen, what must follow, the tests of it, and how to see them fail.

    `tests` must notice `broken`; where one break cannot spoil all that is promised, `also` has
    more.
    """

    fault: str
    promise: str
    tests: tuple[str, ...]
    broken: Break
    also: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[tuple[tuple[str, ...], Break], ...]:
        """Each break, with the tests that must notice it."""
        return ((self.tests, self.broken), *((part.tests, part) for part in self.also))

    @property
    def all_tests(self) -> tuple[str, ...]:
        """The tests of all parts, each once."""
        return tuple(dict.fromkeys(test for tests, _ in self.parts for test in tests))


def read_rows(folder: Path = FOLDER) -> dict[str, Row]:
    """All rows by name, in order; ValueError names the file that is none."""
    rows = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".toml" or path.stem not in NAMES:
            raise ValueError(f"{path.name} is no fNN.toml of the catalogue's rows")
        try:
            rows[path.stem] = msgspec.toml.decode(path.read_bytes(), type=Row)
        except msgspec.DecodeError as error:
            raise ValueError(f"{path.name}: {error}") from error
    return rows


def mistakes(name: str, row: Row, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with a row: tests that are not there, or a break that does not apply."""
    if not all(tests for tests, _ in row.parts):
        yield "it has no test"
    if not any(re.search(rf"{name}(?!\d)", test.partition("::")[2]) for test in row.tests):
        yield f"none of its tests is named after {name}"
    for test in row.all_tests:
        file, _, inside = test.partition("::")
        if not (root / file).is_file():
            yield f"there is no {file}"
        elif inside.partition("[")[0] not in _functions(ast.parse((root / file).read_text())):
            yield f"there is no {test}"
    for _, broken in row.parts:
        try:
            broken.apply((root / broken.file).read_text())
        except (OSError, ValueError) as error:
            yield f"its break does not apply: {error}"


def table(rows: Mapping[str, Row]) -> str:
    """All rows with their tests, as a Markdown table."""
    lines = ["| # | fault | what must happen | shown by |", "|---|---|---|---|"]
    for name, row in rows.items():
        tests = "<br>".join(f"`{_short(test)}`" for test in row.all_tests)
        cells = (str(int(name[1:])), row.fault, row.promise)
        shown = " | ".join(cell.replace("|", "\\|") for cell in cells)
        lines.append(f"| {shown} | {tests} |")
    return "\n".join(lines) + "\n"


def with_table(text: str, rows: Mapping[str, Row]) -> str:
    """`text` with the present table between its markers; ValueError when they are not there."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"there is no {_BEGIN.strip()} followed by {_END}")
    return f"{before}{begin}{table(rows)}{end}{after}"


def _short(test: str) -> str:
    """A test without the folder that all of them are in."""
    return test.removeprefix("tests/")


def _functions(module: ast.Module) -> set[str]:
    """The tests of a module as they stand in node ids, those of classes too."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in module.body if isinstance(node, functions)}
    for each in module.body:
        if isinstance(each, ast.ClassDef):
            found |= {f"{each.name}::{n.name}" for n in each.body if isinstance(n, functions)}
    return found


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(), read_rows()))
    sys.stdout.write(f"{README} is up to date\n")

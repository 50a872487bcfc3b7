"""The rows of the fault catalogue: each has a test, and a break that its test must notice."""

from pathlib import Path

import pytest
from support.rows import NAMES, README, ROOT, Break, Row, mistakes, read_rows, table, with_table

ROWS = read_rows()
GOOD = """\
fault = "a | b"
promise = "c"
tests = ["tests/test_some.py::TestGroup::test_f07_it[one]"]
[broken]
file = "some.py"
find = '''
  here
'''
replace = "  there"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one test, and one place to break."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "some.py").write_text("x\n  here\nhe  re\n")
    (tmp_path / "tests" / "test_some.py").write_text(
        "class TestGroup:\n  async def test_f07_it(self): ...\ndef test_f70_other(): ...\n"
    )
    (tmp_path / "rows").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_sound(name: str) -> None:
    """Its tests are there, and what its break replaces is in the code, once."""
    assert list(mistakes(name, ROWS[name], ROOT)) == []


def test_all_rows_are_there() -> None:
    """The whole catalogue, and nothing else."""
    assert tuple(ROWS) == NAMES


def test_the_readme_has_the_present_table() -> None:
    """`python -m support.rows`, with `tests` on the path, renews it."""
    text = README.read_text()
    assert with_table(text, ROWS) == text


def _row(root: Path, text: str = GOOD, name: str = "f07") -> Row:
    (root / "rows" / f"{name}.toml").write_text(text)
    return read_rows(root / "rows")[name]


def test_a_row_is_read(root: Path) -> None:
    """Whole indented lines are found, without the newlines of the document's quotes."""
    row = _row(root)

    assert list(mistakes("f07", row, root)) == []
    assert row.broken.apply((root / "some.py").read_text()) == "x\n  there\nhe  re\n"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('["tests', '[] # "', "it has no test"),
        ("_f07_it[one]", "_f08_it", "none of its tests is named after f07"),
        ("test_some", "test_others", "there is no tests/test_others.py"),
        ("TestGroup::", "", "there is no tests/test_some.py::test_f07_it[one]"),
        ('"some.py', '"others.py', "its break does not apply: "),
        ("  here", "he", "its break does not apply: what to find is 2 times in some.py"),
        ("  here", "where", "its break does not apply: what to find is 0 times in some.py"),
        ("  here", "", "its break does not apply: what to find is empty"),
        ("  here", "  there", "its break does not apply: the replacement changes nothing"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(root: Path, old: str, new: str, mistake: str) -> None:
    """Each mistake, in words."""
    found = list(mistakes("f07", _row(root, GOOD.replace(old, new, 1)), root))

    assert any(each.startswith(mistake) for each in found), found


@pytest.mark.parametrize(
    ("name", "text"),
    [("f57", GOOD), ("f7", GOOD), ("f07", GOOD.replace("promise", "hope")), ("f07", "fault = 1")],
)
def test_a_file_that_is_no_row_is_refused(root: Path, name: str, text: str) -> None:
    """A name outside the catalogue, or other keys than a row's."""
    with pytest.raises(ValueError, match=name):
        _row(root, text, name)


ALSO = """
[[also]]
tests = ["tests/test_some.py::test_f70_other"]
file = "some.py"
find = "x"
replace = "y"
"""


def test_a_row_with_two_breaks(root: Path) -> None:
    """Each break has its own tests, and is held to the same rules."""
    row = _row(root, GOOD + ALSO)

    assert list(mistakes("f07", row, root)) == []
    assert [(tests, broken.replace.strip()) for tests, broken in row.parts] == [
        (("tests/test_some.py::TestGroup::test_f07_it[one]",), "there"),
        (("tests/test_some.py::test_f70_other",), "y"),
    ]
    assert row.all_tests == row.tests + row.also[0].tests
    wrong = ALSO.replace('"x"', '"z"').replace("f70", "f71")
    found = list(mistakes("f07", _row(root, GOOD + wrong), root))
    assert found == [
        "there is no tests/test_some.py::test_f71_other",
        "its break does not apply: what to find is 0 times in some.py, not once",
    ]


def test_a_break_of_one_place_only() -> None:
    """Where the text stands twice, nobody knows which is meant."""
    with pytest.raises(ValueError, match="2 times"):
        Break("some.py", "a", "b").apply("a a")


def test_the_table_is_renewed_in_its_place(root: Path) -> None:
    """What stands around the markers stays; a bar does not end a cell."""
    rows = {"f07": _row(root)}

    text = with_table("before\n<!-- rows -->\nold\n<!-- /rows -->\nafter\n", rows)

    assert text == f"before\n<!-- rows -->\n{table(rows)}<!-- /rows -->\nafter\n"
    assert "| 7 | a \\| b | c | `test_some.py::TestGroup::test_f07_it[one]` |\n" in text
    with pytest.raises(ValueError, match="there is no <!-- rows -->"):
        with_table("<!-- /rows --><!-- rows -->\n", rows)

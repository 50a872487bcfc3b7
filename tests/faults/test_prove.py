"""What counts as a proof that a test notices a break."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.prove import judge
from support.scratch import Scratch

TEST = "test_a.py::test_f01"


@pytest.mark.parametrize(
    ("code", "found", "why"),
    [
        (1, {TEST: {"call": "assert 1 == 2"}}, ""),
        (1, {TEST: {"call": "TimeoutError", "teardown": "too"}}, ""),
        (1, {f"{TEST}[{n}]": {"call": "assert 1 == 2"} for n in range(2)}, ""),
        (1, {f"{TEST}[a]": {}, f"{TEST}[b]": {"call": "assert 1 == 2"}}, "[a] passed"),
        (0, {TEST: {}}, "passed"),
        (1, {TEST: {}, f"{TEST}_other": {"call": "assert 1 == 2"}}, "passed"),
        (1, {f"{TEST}_other": {"call": "assert 1 == 2"}}, "did not run"),
        (1, {TEST: {"setup": "fixture 'x' not found"}}, "failed outside its body: fixture"),
        (1, {TEST: {"call": "ImportError: no such thing"}}, "mistake of the break"),
        (1, {TEST: {"call": "NameError: name 'x'"}}, "mistake of the break"),
        (2, {}, "pytest ended with 2"),
        (4, {}, "pytest ended with 4"),
        (None, {}, "did not come to an end"),
    ],
)
def test_verdict(code: int | None, found: dict[str, dict[str, str]], why: str) -> None:
    """A test must fail in its own body, for what it says."""
    judged = judge([TEST], code, found)

    assert why in judged if why else not judged, judged


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a package, its test, and the environment of this run."""
    files = {
        "thing/__init__.py": "ANSWER = 42\n",
        "tests/test_thing.py": "import thing\ndef test_f01():\n    assert thing.ANSWER == 42\n",
        "tests/test_end.py": "import time\ndef test_f02():\n    time.sleep(60)\n",
        ".gitignore": ".venv\n",
    }
    verdicts = Path(__file__).parent.parent / "support" / "verdicts.py"
    files["tests/support/verdicts.py"] = verdicts.read_text()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # noqa: S607 - whichever git the user has
    return tmp_path


def test_a_break_stays_in_the_copy(project: Path) -> None:
    """Tests run against the copy of the code, and a wrong break is told from a broken promise."""
    test = "tests/test_thing.py::test_f01"
    with Scratch(project) as scratch:
        thing = scratch.folder / "thing" / "__init__.py"
        assert scratch.run([test], seconds=60) == (0, {test: {}})
        thing.write_text("ANSWER = 41\n")
        code, found = scratch.run([test], seconds=60)
        assert (code, found[test]["call"]) == (1, "assert 41 == 42\n +  where 41 = thing.ANSWER")
        assert scratch.wrong("thing/__init__.py") == ""
        for mistake in ("ANSWER = 42 + UNKNOWN\n", "ANSWER =\n", "from nowhere import ANSWER\n"):
            thing.write_text(mistake)
            assert scratch.wrong("thing/__init__.py")

    assert not scratch.folder.exists()
    assert (project / "thing" / "__init__.py").read_text() == "ANSWER = 42\n"


def test_a_run_without_an_end_is_ended(project: Path) -> None:
    """What takes too long is interrupted, and is no failure of the test."""
    with Scratch(project) as scratch:
        assert scratch.run(["tests/test_end.py"], seconds=2) == (None, {})

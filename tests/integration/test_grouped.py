"""Tests of a group stay together."""

from pathlib import Path

from support.grouped import scope_of

ROOT = Path(__file__).parent.parent.parent


def test_a_group_is_what_its_file_says() -> None:
    """Tests of such a file go to one worker; all others go where there is time."""
    file = "tests/templates/test_ministack.py"
    assert {scope_of(f"{file}::{test}", ROOT) for test in ("test_a", "test_b[1]")} == {
        "cloudformation"
    }
    alone = "tests/integration/test_grouped.py::test_a[x::y]"
    assert scope_of(alone, ROOT) == alone

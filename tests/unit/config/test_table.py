"""The option table in the README."""

import runpy
import sys
from pathlib import Path

import pytest

from ingestor.config import Settings, markdown_table
from ingestor.config.settings import variable
from ingestor.config.table import with_table

README = Path(__file__).parents[3] / "ingestor" / "README.md"


def test_every_option_has_one_row_of_four_cells() -> None:
    """A description cannot break the table."""
    head, rule, *rows = markdown_table().splitlines()

    assert (head.count("|"), rule.count("|")) == (5, 5)
    assert [row.split("`")[1] for row in rows] == [variable(each) for each in Settings.model_fields]
    assert all(row.count("|") == 5 for row in rows)


@pytest.mark.parametrize(
    "row",
    [
        "| `INGESTOR_METADATA_TABLE` | **must be set** | a table name",
        "| `INGESTOR_DEAD_LETTER_QUEUE_URL` | not set | an http://",
        "| `INGESTOR_MAPPING` | the built-in mapping | a text |",
        "| `INGESTOR_BATCH_SECONDS` | `0.5` | a number from 0.01 to 60 |",
        "| `INGESTOR_CACHE_TTL_SECONDS` | `300` | a number from 1 to 604800 |",
        "| `INGESTOR_WINDOW_MESSAGES` | `20000` | a whole number from 10 to 110000 |",
    ],
)
def test_defaults_are_written_as_they_would_be_set(row: str) -> None:
    """What must be set stands out."""
    assert f"\n{row}" in markdown_table()


def test_the_readme_has_the_present_table() -> None:
    """`python -m ingestor.config ingestor/README.md` renews it."""
    text = README.read_text(encoding="utf-8")
    assert with_table(text) == text


def test_the_table_is_renewed_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands around the markers stays."""
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- options -->\nold\n<!-- /options -->\nafter\n")
    monkeypatch.setattr(sys, "argv", ["", str(readme)])

    runpy.run_module("ingestor.config", run_name="__main__")

    expected = f"before\n<!-- options -->\n{markdown_table()}<!-- /options -->\nafter\n"
    assert readme.read_text() == expected


@pytest.mark.parametrize("text", ["", "<!-- options -->\n", "<!-- /options --><!-- options -->\n"])
def test_a_text_without_the_markers_is_refused(text: str) -> None:
    """Better than a table at some odd place."""
    with pytest.raises(ValueError, match="there is no <!-- options --> followed by"):
        with_table(text)

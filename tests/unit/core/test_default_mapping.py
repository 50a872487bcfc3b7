"""The built-in mapping is the one that the README shows."""

from pathlib import Path

from ingestor.core.mapping import DEFAULT_MAPPING

README = Path(__file__).parents[3] / "ingestor" / "README.md"


def test_shown_as_it_is() -> None:
    """Between its markers stands the present text."""
    expected = f"<!-- mapping -->\n```toml\n{DEFAULT_MAPPING}```\n<!-- /mapping -->\n"

    assert expected in README.read_text()

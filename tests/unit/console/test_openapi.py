"""The OpenAPI document in the folder is the one that the types and operations make."""

from ingestor.console import openapi


def test_the_file_is_up_to_date() -> None:
    """`python -m ingestor.console.openapi` would change nothing."""
    assert openapi.FILE.read_text() == openapi.text()

"""Places in a reading."""

import pytest

from ingestor.core.paths import look_up, parse_path, shown


def test_nested() -> None:
    """A path goes down through objects."""
    assert look_up({"engine": {"rpm": 900}}, parse_path("engine.rpm")) == 900


@pytest.mark.parametrize("reading", [{}, {"engine": {}}, {"engine": 5}, {"engine": [1]}])
def test_nothing_there(reading: dict[str, object]) -> None:
    """Where the path leads nowhere there is None."""
    assert look_up(reading, parse_path("engine.rpm")) is None


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b"])
def test_empty_name(text: str) -> None:
    """A path with an empty name is refused."""
    with pytest.raises(ValueError, match="joined by dots"):
        parse_path(text)


def test_shown() -> None:
    """A path is shown as it was written."""
    assert shown(parse_path("engine.rpm")) == "engine.rpm"

"""Time zones."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestor.core.zones import parse_zone


@pytest.mark.parametrize(
    ("text", "hours"), [("UTC", 0), ("+02:00", 2), ("-0330", -3.5), ("Europe/Berlin", 1)]
)
def test_zones(text: str, hours: float) -> None:
    """A zone is UTC, an offset or a name."""
    winter = datetime(2023, 11, 14, tzinfo=UTC).replace(tzinfo=parse_zone(text))

    assert winter.utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text", ["", "utc+2", "+24:00", "+2", "Mars/Olympus", "../passwd", "Europe", "\0"]
)
def test_no_zones(text: str) -> None:
    """Anything else is refused with what a zone looks like."""
    with pytest.raises(ValueError, match="write UTC, \\+02:00 or a name such as Europe/Berlin"):
        parse_zone(text)

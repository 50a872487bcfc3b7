"""Metadata records as tags."""

from ingestor.core.tagvalues import tag_values


def test_rule_for_every_type() -> None:
    """Scalars and sets become text, everything else is left out."""
    item = {
        "family": {"S": "sensors"},
        "empty": {"S": ""},
        "limit": {"N": "12.5"},
        "active": {"BOOL": True},
        "retired": {"BOOL": False},
        "sites": {"SS": ["b", "a"]},
        "levels": {"NS": ["10", "9.5"]},
        "nothing": {"NULL": True},
        "image": {"B": b"\x00"},
        "parts": {"L": [{"S": "x"}]},
        "owner": {"M": {"name": {"S": "x"}}},
        "blobs": {"BS": [b"\x00"]},
    }

    assert tag_values(item) == {
        "family": "sensors",
        "limit": "12.5",
        "active": "true",
        "retired": "false",
        "sites": "a,b",
        "levels": "9.5,10",
    }

"""Metadata records as tags."""

from typing import Any

from ingestor.core.tagvalues import SharedTexts, tag_values


def test_rule_for_every_type() -> None:
    """Scalars and sets become text, everything else is left out."""
    item: dict[str, dict[str, Any]] = {
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


def test_equal_texts_are_one_object() -> None:
    """A hundred thousand records share the names and values that they have in common."""
    texts = SharedTexts()
    records = [texts.of({str(b"site", "ascii"): f"plant {n}"}) for n in (1, 1, 2)]

    assert records == [{"site": "plant 1"}, {"site": "plant 1"}, {"site": "plant 2"}]
    assert records[0]["site"] is records[1]["site"]
    assert len({id(name) for record in records for name in record}) == 1


def test_texts_that_differ_are_not_kept() -> None:
    """The memory for what records share is bounded."""
    texts = SharedTexts(most=4)
    first = texts.of({"id": str(b"ab", "ascii")})
    for n in range(5):
        assert texts.of({"id": str(n)}) == {"id": str(n)}
    assert texts.of({"id": str(b"ab", "ascii")})["id"] is not first["id"]

"""Keys of the metadata table, as one text and as attributes."""

import pytest

from ingestor.core.tablekeys import Keys

ONE = Keys("metakey")
TWO = Keys("site", "unit")


@pytest.mark.parametrize(
    ("keys", "parts", "item"),
    [
        (ONE, ("k", None), {"metakey": {"S": "k"}}),
        (TWO, ("a", "b"), {"site": {"S": "a"}, "unit": {"S": "b"}}),
        (TWO, ("a", ""), {"site": {"S": "a"}, "unit": {"S": ""}}),
    ],
)
def test_there_and_back(
    keys: Keys, parts: tuple[str, str | None], item: dict[str, dict[str, str]]
) -> None:
    """A key that a person names is the one that its item has, and comes apart again."""
    key = keys.join(*parts)

    assert keys.item(key) == item
    assert keys.of({**item, "family": {"S": "x"}}) == key
    assert keys.split(key) == parts
    assert keys.names() == tuple(item)
    assert keys.tags(key) == {name: typed["S"] for name, typed in item.items()}


@pytest.mark.parametrize(
    ("keys", "sort_key", "word"), [(ONE, "b", "no sort key"), (TWO, None, "is needed")]
)
def test_another_kind_of_key(keys: Keys, sort_key: str | None, word: str) -> None:
    """A sort key too many, or none, is no key of the table."""
    with pytest.raises(ValueError, match=word):
        keys.join("a", sort_key)

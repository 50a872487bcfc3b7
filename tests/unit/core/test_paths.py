"""Paths: how they are written, and what they find."""

from typing import Any

import pytest

from ingestor.core.metadata import Metadata
from ingestor.core.opened import Opened
from ingestor.core.paths import Root, getter, parse_path

READING = {"a": 1, "b": {"c": {"d": 2}}, "list": [{"x": 3}, {"x": 4}], "odd.name": 5, "$ref": 6}
OPENED = Opened({"topic": "t", "at": 7}, {"site": "s"}, "plant/7/data", [READING])
OPENED.record = Metadata({"family": "f", "max.p": "9"})


@pytest.mark.parametrize(
    ("text", "root", "steps"),
    [
        ("a", Root.READING, ("a",)),
        ("b.c.d", Root.READING, ("b", "c", "d")),
        ("list[0].x", Root.READING, ("list", 0, "x")),
        ("[-1][2]", Root.READING, (-1, 2)),
        ('"odd.name"."$ref"', Root.READING, ("odd.name", "$ref")),
        ("$reading", Root.READING, ()),
        ("$message.site", Root.MESSAGE, ("site",)),
        ("$message[0]", Root.MESSAGE, (0,)),
        ("$body", Root.BODY, ()),
        ("$topic", Root.TOPIC, ()),
        ("$topic[2]", Root.TOPIC, (2,)),
        ('$metadata."max.p"', Root.METADATA, ("max.p",)),
    ],
)
def test_parses(text: str, root: Root, steps: tuple[Any, ...]) -> None:
    """A path is a root, names and indexes, and is shown as it was written."""
    path = parse_path(text)

    assert (path.root, path.steps, str(path)) == (root, steps, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a path is names joined by dots"),
        ("a..b", "a path is names joined by dots"),
        (".a", "a path is names joined by dots"),
        ("a.", "a path is names joined by dots"),
        ("a.[0]", "a path is names joined by dots"),
        ("a[x]", "a path is names joined by dots"),
        ('a"b"', "a path is names joined by dots"),
        ("$message site", "a path is names joined by dots"),
        ("$colour", r"there is no \$colour; a path begins with a name or \$reading"),
        ("$topic.a", r"write \$topic for all of the topic"),
        ("$topic[0]", r"write \$topic for all of the topic"),
        ("$topic[1][2]", r"write \$topic for all of the topic"),
        ("$metadata", r"write \$metadata.name"),
        ("$metadata[0]", r"write \$metadata.name"),
        ("$metadata.a.b", r"write \$metadata.name"),
    ],
)
def test_refuses(text: str, problem: str) -> None:
    """What is no path is refused with what a path looks like."""
    with pytest.raises(ValueError, match=problem):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 1),
        ("b.c.d", 2),
        ("list[1].x", 4),
        ("list[-2].x", 3),
        ('"odd.name"', 5),
        ("$reading.a", 1),
        ("$message.site", "s"),
        ("$body.at", 7),
        ("$topic", "plant/7/data"),
        ("$topic[1]", "plant"),
        ("$topic[3]", "data"),
        ("$metadata.family", "f"),
        ('$metadata."max.p"', "9"),
        ("nothing", None),
        ("a.b", None),
        ("a[0]", None),
        ("list[2]", None),
        ("list[-3]", None),
        ("list.x", None),
        ("$topic[4]", None),
        ("$metadata.colour", None),
    ],
)
def test_finds(text: str, value: object) -> None:
    """A path finds its value; where it leads nowhere there is nothing."""
    assert getter(parse_path(text))(READING, OPENED) == value


@pytest.mark.parametrize("text", ["$topic", "$topic[1]", "$metadata.family", "name"])
def test_finds_nothing_where_nothing_is(text: str) -> None:
    """Without a topic, a record or an object there is nothing to find in them."""
    assert getter(parse_path(text))([1], Opened(None, None, None, [])) is None

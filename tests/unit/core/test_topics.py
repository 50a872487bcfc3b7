"""Topic filters and the choice of a route."""

from typing import Any

import pytest

from ingestor.core.encode import Encoder, choose
from ingestor.core.mapping import parse_mapping
from ingestor.core.topics import filter_problem, topic_matcher

FIELDS = "[routes.fields]\nv = { path = 'v' }\n"
ROUTES = f"""
[[routes]]
name = "numbers"
measurement = "m"
where = {{ kind = [1, "one"], on = true }}
{FIELDS}
[[routes]]
name = "site"
topics = ["site/#"]
measurement = "m"
{FIELDS}
"""


@pytest.mark.parametrize(
    ("text", "topic", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b", "/a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$aws/things", False),
        ("+/things", "$aws/things", False),
        ("$aws/#", "$aws/things", True),
        ("a.c", "abc", False),
        ("a/#", "a/b\nc", True),
    ],
)
def test_matching(text: str, topic: str, *, matches: bool) -> None:
    """Wildcards match as MQTT says."""
    assert bool(topic_matcher(text)(topic)) is matches


@pytest.mark.parametrize("text", ["", "a\0b", "a/#/b", "a#", "a/+b", "#/"])
def test_no_filters(text: str) -> None:
    """What MQTT does not allow as a filter is found out."""
    assert filter_problem(text)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"kind": 1, "on": True}, "numbers"),
        ({"kind": 1.0, "on": True, "topic": "site/1"}, "numbers"),
        ({"kind": "one", "on": True}, "numbers"),
        ({"kind": True, "on": True}, None),
        ({"kind": 1, "on": 1}, None),
        ({"kind": [1], "on": True}, None),
        ({"topic": "site"}, "site"),
        ({"topic": 5}, None),
        ([], None),
    ],
)
def test_choice(body: Any, name: str | None) -> None:
    """The first route whose topics and values fit takes the message; true is not 1."""
    topic = body.get("topic") if isinstance(body, dict) else None
    chooser = choose.Chooser(Encoder(parse_mapping(ROUTES)).routes)

    route = chooser(body, topic if isinstance(topic, str) else None)

    assert (route.name if route else None) == name


def test_topics_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet with a topic for each device does not make the memory of topics grow for ever."""
    monkeypatch.setattr(choose, "_MOST_TOPICS", 3)
    chooser = choose.Chooser(Encoder(parse_mapping(ROUTES)).routes)

    for number in range(10):
        route = chooser({}, f"site/{number // 2}")
        assert route is not None
        assert route.name == "site"
    assert len(chooser._by_topic) <= 3  # noqa: SLF001 - what is to be bounded

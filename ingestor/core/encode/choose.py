"""Which route takes a message."""

from collections.abc import Callable, Sequence
from typing import Any

from ingestor.core.encode.route import RouteEncoder
from ingestor.core.mapping.model import Route
from ingestor.core.opened import Opened
from ingestor.core.paths import getter, parse_path
from ingestor.core.topics import topic_matcher

_MOST_TOPICS = 10_000
"""Topics remembered with the routes that take them."""

Test = Callable[[Any, str | None], bool]


class Chooser:
    """Finds the first route that takes a message."""

    def __init__(self, routes: Sequence[RouteEncoder]) -> None:
        self._routes = routes
        self._only = routes[0] if len(routes) == 1 and routes[0].rule.takes_all else None
        self._matchers = [_topics(route.rule) for route in routes]
        self._tests = [_where(route.rule) for route in routes]
        self._by_topic: dict[str | None, list[tuple[Test, RouteEncoder]]] = {}

    def __call__(self, body: Any, topic: str | None) -> RouteEncoder | None:
        """The route for a message with this body, as JSON, and topic; None if there is none."""
        if self._only is not None:
            return self._only
        candidates = self._by_topic.get(topic)
        if candidates is None:
            if len(self._by_topic) == _MOST_TOPICS:
                self._by_topic.clear()
            candidates = self._by_topic[topic] = [
                (test, route)
                for matches, test, route in zip(
                    self._matchers, self._tests, self._routes, strict=True
                )
                if matches(topic)
            ]
        return next((route for test, route in candidates if test(body, topic)), None)


def _topics(rule: Route) -> Callable[[str | None], bool]:
    if rule.topics is None:
        return lambda _: True
    matchers = [topic_matcher(each) for each in rule.topics]
    return lambda topic: topic is not None and any(matches(topic) for matches in matchers)


def _where(rule: Route) -> Test:
    if not rule.where:
        return lambda _body, _topic: True
    conditions = [(getter(parse_path(path)), values) for path, values in rule.where.items()]

    def test(body: Any, topic: str | None) -> bool:
        opened = Opened(body, body, topic, [])
        return all(
            any(_equal(get(body, opened), value) for value in values) for get, values in conditions
        )

    return test


def _equal(found: object, value: object) -> bool:
    # To Python true is 1, to JSON it is not; 10 and 10.0 are one number to both.
    return found == value and isinstance(found, bool) == isinstance(value, bool)

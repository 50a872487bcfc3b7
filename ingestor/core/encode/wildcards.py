"""Fields whose names come from the reading, compiled."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from ingestor.core.encode.fields import to_field
from ingestor.core.encode.texts import rejected
from ingestor.core.mapping.model import Limits, Route
from ingestor.core.mapping.names import RESERVED, name_filter, unusable_field
from ingestor.core.mapping.sources import Wildcard
from ingestor.core.message import Reason
from ingestor.core.opened import Opened
from ingestor.core.paths import Getter, Path, getter, single_name
from ingestor.core.prefix import escape_name
from ingestor.core.scalars import scalar_text

_KINDS: dict[str, tuple[type, ...]] = {
    "float": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "string": (str,),
}
_MOST_NAMES = 10_000
"""Names remembered with what became of them."""


class WildcardEncoder:
    """The fields of all wildcards of one route.

    A name belongs to one wildcard for ever: to that with the longest prefix, the first of these,
    that wants it, whatever the value. So no field gets its type from what happened to come.
    """

    def __init__(self, route: Route, limits: Limits) -> None:
        self._limits = limits
        self._taken = {*route.fields, *route.tags}
        own = _own_names(route)
        self._rules = [_Rule(each, own, limits) for each in route.wildcards]
        self._order = sorted(self._rules, key=lambda rule: -len(rule.prefix))
        self._names: dict[tuple[_Rule, str], str] = {}

    def fields(self, reading: Any, opened: Opened, tags: Any) -> dict[str, str]:
        """`name=value` for each field, by the unescaped name. `tags` holds names not to take.

        Raises:
            Rejected: naming what cannot be stored.
        """
        found: dict[str, str] = {}
        for rule in self._rules:
            for member, value in rule.members(reading, opened):
                name = rule.prefix + member
                if (
                    not isinstance(value, rule.kinds)
                    or (isinstance(value, bool) and bool not in rule.kinds)
                    or value == ""
                    or name in tags
                ):
                    continue
                equals = self._equals(rule, name)
                if not equals:
                    continue
                if name in found:
                    what = f"two members come to the name {name[:60]!r}"
                    raise rejected(Reason.BAD_FIELD, rule.place, what)
                try:
                    found[name] = equals + rule.to_text(value)
                except ValueError as exc:
                    raise rejected(Reason.BAD_FIELD, name[:60], exc) from exc
        return found

    def index(self, name: str) -> int:
        """Which wildcard a field of this name belongs to."""
        return next(n for n, rule in enumerate(self._rules) if rule is self._owner(name))

    def _equals(self, rule: "_Rule", name: str) -> str:
        """`name=` when the name is for this rule to take, else nothing."""
        known = self._names.get((rule, name))
        if known is None:
            if len(self._names) == _MOST_NAMES:
                self._names.clear()
            known = self._names[rule, name] = self._decide(rule, name)
        return known

    def _decide(self, rule: "_Rule", name: str) -> str:
        owner = self._owner(name)
        if owner is None or owner.type != rule.type or name in self._taken or name in RESERVED:
            return ""
        if not rule.wants(name[len(rule.prefix) :]):
            return ""
        problem = unusable_field(name)
        if len(name.encode()) > self._limits.name_bytes:
            problem = f"it is longer than {self._limits.name_bytes} bytes"
        if problem:
            raise rejected(Reason.BAD_FIELD, f"{rule.place}, the name {name[:60]!r}", problem)
        return f"{escape_name(name)}="

    def _owner(self, name: str) -> "_Rule | None":
        for rule in self._order:
            if name.startswith(rule.prefix) and rule.wants(name[len(rule.prefix) :]):
                return rule
        return None


class _Rule:
    """One wildcard."""

    def __init__(self, wildcard: Wildcard, own: frozenset[str], limits: Limits) -> None:
        self.type = wildcard.type
        self.prefix = wildcard.prefix
        self.kinds = _KINDS[wildcard.type]
        self.place = str(wildcard.path or wildcard.name or "the reading")
        self.wants = name_filter(wildcard.include, wildcard.exclude)
        self.to_text = to_field(wildcard.type, most_text_bytes=limits.text_bytes)
        self._flatten = wildcard.flatten
        self._name = getter(wildcard.name) if wildcard.name else None
        self._value = getter(wildcard.value) if wildcard.value else None
        self._get: Getter = getter(wildcard.path) if wildcard.path else lambda reading, _: reading
        self._own = own if wildcard.path is None else frozenset()

    def members(self, reading: Any, opened: Opened) -> Iterator[tuple[str, Any]]:
        """Names and values of what may become a field."""
        if self._name is not None and self._value is not None:
            name = self._name(reading, opened)
            try:
                text = "" if name is None else scalar_text(name)
            except ValueError as exc:
                raise rejected(Reason.BAD_FIELD, self.place, exc) from exc
            if text:
                yield text, self._value(reading, opened)
            return
        found = self._get(reading, opened)
        if isinstance(found, dict):
            yield from self._members_of(found, "", self._own)

    def _members_of(
        self, found: dict[str, Any], before: str, own: frozenset[str]
    ) -> Iterator[tuple[str, Any]]:
        for name, value in found.items():
            if name in own:
                continue
            if self._flatten is not None and isinstance(value, dict):
                yield from self._members_of(value, f"{before}{name}{self._flatten}", frozenset())
            else:
                yield before + name, value


def _own_names(route: Route) -> frozenset[str]:
    """The members of a reading that have a rule of their own."""
    metadata = route.metadata
    sources = [
        route.measurement,
        *route.tags.values(),
        *route.fields.values(),
        *route.time.paths,
        *([metadata.key] if metadata else []),
        *([metadata.sort] if metadata and metadata.sort else []),
    ]
    paths: Iterator[Path] = chain.from_iterable(source.paths for source in sources)
    names = {name for path in paths if (name := single_name(path)) is not None}
    return frozenset({*names, *route.time.envelope})

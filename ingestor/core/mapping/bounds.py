"""What a mapping itself says that its own limits would not let pass."""

from collections.abc import Iterator

from ingestor.core.mapping.model import Limits, Mapping, Route
from ingestor.core.scalars import string_text

Found = tuple[tuple[str | int, ...], str, str]
"""Place, problem, remedy."""

_REMEDY = "Shorten it, or raise `{}` in [limits]"


def beyond_limits(mapping: Mapping) -> Iterator[Found]:
    """Names, texts and numbers of rules that are beyond the limits."""
    for n, route in enumerate(mapping.routes):
        for place, problem, limit in _within(route, mapping.limits):
            yield ("routes", n, *place), problem, _REMEDY.format(limit)


def _within(route: Route, limits: Limits) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for table, names in (("tags", route.tags), ("fields", route.fields)):
        most = getattr(limits, table)
        if len(names) > most:
            yield (table,), f"there are {len(names)}, and at most {most} are allowed", table
    for place, text, limit in _texts(route):
        most = getattr(limits, limit)
        if len(text.encode()) > most:
            yield place, f"it is longer than {most} bytes", limit


def _texts(route: Route) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Place, text and limit of all texts that come into lines as they are."""
    yield ("measurement",), route.measurement.constant or "", "name_bytes"
    for name, tag in route.tags.items():
        yield ("tags", name), name, "name_bytes"
        yield ("tags", name), tag.constant or tag.default or "", "tag_bytes"
    for name, field in route.fields.items():
        yield ("fields", name), name, "name_bytes"
        for value in (field.constant, field.default):
            if isinstance(value, str):
                yield ("fields", name), string_text(value), "text_bytes"

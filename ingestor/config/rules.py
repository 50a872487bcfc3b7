"""How settings go together: what one of them demands of another."""

from collections.abc import Callable, Iterator, Mapping

from ingestor.config.mistakes import Mistake, remedy
from ingestor.config.settings import Settings, variable
from ingestor.core.mapping import MappingError, parse_mapping

STOP_MARGIN_SECONDS = 5.0
"""What a stop needs beyond the last poll, which is awaited: time to give back what is held."""

_NEEDED = {
    "v2": ("influxdb_org", "influxdb_bucket", "influxdb_token"),
    "v1": ("influxdb_database",),
}

Rule = Callable[[Settings, Mapping[str, str]], Iterator[Mistake]]


def rule_mistakes(
    settings: Settings, origins: Mapping[str, str], doubtful: set[str]
) -> Iterator[Mistake]:
    """What is wrong between fields; rules that involve a `doubtful` field are left out.

    `origins` names the variable that each field came from, for those that were set.
    """
    for fields, rule in _RULES:
        if doubtful.isdisjoint(fields):
            yield from rule(settings, origins)


def _api_has_what_it_needs(settings: Settings, _: Mapping[str, str]) -> Iterator[Mistake]:
    api = settings.influxdb_api
    for field in _NEEDED[api]:
        if getattr(settings, field) is None:
            problem = f"is not set, and the {api} API of InfluxDB needs it"
            yield Mistake(variable(field), problem, remedy(field))


def _together(one: str, other: str) -> Rule:
    """Of these two fields both are set, or neither."""

    def rule(settings: Settings, _: Mapping[str, str]) -> Iterator[Mistake]:
        for this, that in ((one, other), (other, one)):
            if getattr(settings, this) is None and getattr(settings, that) is not None:
                problem = f"is not set, but {variable(that)} is"
                yield Mistake(variable(this), problem, f"{remedy(this)}, or set neither")

    return rule


def _letters_go_elsewhere(settings: Settings, _: Mapping[str, str]) -> Iterator[Mistake]:
    if settings.dead_letter_queue_url == settings.queue_url:
        yield Mistake(
            variable("dead_letter_queue_url"),
            "names the queue that is received from, so that bad messages would go round for ever",
            "Name another queue, or unset it to use the queue of the redrive policy",
        )


def _last_poll_ends_in_time(settings: Settings, _: Mapping[str, str]) -> Iterator[Mistake]:
    needed = settings.receive_wait_seconds + STOP_MARGIN_SECONDS
    if settings.stop_seconds < needed:
        wait = variable("receive_wait_seconds")
        yield Mistake(
            variable("stop_seconds"),
            f"is {settings.stop_seconds:g}, but a stop waits for the last poll "
            f"({wait}, {settings.receive_wait_seconds} s) and {STOP_MARGIN_SECONDS:g} s more",
            f"Set it to {needed:g} or more, or lower {wait}",
        )


def _mapping_can_be_used(settings: Settings, origins: Mapping[str, str]) -> Iterator[Mistake]:
    origin = origins.get("mapping", variable("mapping"))
    try:
        mapping = parse_mapping(settings.mapping)
    except MappingError as error:
        for each in error.details:
            yield Mistake(origin, f"cannot be used: {each.place}: {each.problem}", each.remedy)
        return
    has_sort = settings.metadata_sort_attribute is not None
    for n, route in enumerate(mapping.routes):
        if route.metadata is not None and (route.metadata.sort is not None) != has_sort:
            yield _sort_keys_differ(origin, n, has_sort=has_sort)


def _sort_keys_differ(origin: str, number: int, *, has_sort: bool) -> Mistake:
    sort = variable("metadata_sort_attribute")
    place = f"routes[{number}].metadata"
    if has_sort:
        problem = f"has no `sort` in {place}, but {sort} says that the table has a sort key"
        return Mistake(origin, problem, f"Say where a reading names it, or unset {sort}")
    problem = f"has a `sort` in {place}, but {sort} is not set"
    return Mistake(origin, problem, f"Set {sort} to the table's sort key, or leave `sort` out")


_RULES: tuple[tuple[frozenset[str], Rule], ...] = (
    (frozenset({"influxdb_api"}), _api_has_what_it_needs),
    (
        frozenset({"influxdb_username", "influxdb_password"}),
        _together("influxdb_username", "influxdb_password"),
    ),
    (
        frozenset({"console_issuer", "console_client"}),
        _together("console_issuer", "console_client"),
    ),
    (frozenset({"queue_url", "dead_letter_queue_url"}), _letters_go_elsewhere),
    (frozenset({"receive_wait_seconds", "stop_seconds"}), _last_poll_ends_in_time),
    (frozenset({"mapping", "metadata_sort_attribute"}), _mapping_can_be_used),
)

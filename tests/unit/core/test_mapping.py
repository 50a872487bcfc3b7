"""The mapping document."""

import pytest

from ingestor.core.mapping import (
    DEFAULT_MAPPING,
    MappingError,
    MissingPolicy,
    parse_mapping,
)
from ingestor.core.mapping.sources import Source, Tag
from ingestor.core.paths import Path

FIELDS = "[routes.fields]\nv = {path = 'v'}\n"
ROUTE = "[[routes]]\nmeasurement = 'm'\n"


def shown(source: Source) -> list[str]:
    """The parts of a source: paths in angle brackets, texts as they are."""
    return [f"<{part}>" if isinstance(part, Path) else part for part in source.parts]


def test_default() -> None:
    """The built-in mapping is the one of the 2020 demo's pressure device."""
    (route,) = parse_mapping(DEFAULT_MAPPING).routes

    assert route.measurement.constant == "pressure"
    assert shown(route.tags["sensorID"]) == ["<deviceid>", "<clientid>"]
    assert {name: shown(rule) for name, rule in route.fields.items()} == {
        "pressureValue": ["<pressure>"],
        "viscosity": ["<viscosity>"],
    }
    assert route.metadata is not None
    assert (shown(route.metadata.key), route.metadata.missing) == (
        ["<metakey>"],
        MissingPolicy.WRITE,
    )
    assert [shown(each) for each in route.time.paths] == [["<sensordatetime>"], ["<received_at>"]]


def test_smallest() -> None:
    """Measurement and one field are enough."""
    (route,) = parse_mapping(ROUTE + FIELDS).routes

    assert route.metadata is None
    assert route.time.paths == ()
    assert route.fields["v"].type == "float"


def test_template_with_texts() -> None:
    """A template joins texts and paths."""
    assert shown(Tag(template="{site}/{a.b}!")) == ["<site>", "/", "<a.b>", "!"]
    assert shown(Tag(constant="x")) == ["x"]
    assert shown(Tag(path="a")) == ["<a>"]  # type: ignore[arg-type] # as TOML gives it


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("routes = ", ["line 1: it is not TOML: invalid value"]),
        ("a = " + "[" * 100_000, ["line 1: it is nested too deeply for a mapping"]),
        ("", ["line 1, routes: this is missing. For example: [[routes]]"]),
        ("routes = 1", ["line 1, routes: this must be an array. For example: [[routes]]"]),
        ("routes = [1]", ["line 1, routes[0]: this must be a table"]),
        ("routes = []", ["line 1, routes: at least one is needed. For example: [[routes]]"]),
        (
            ROUTE,
            [
                (
                    "line 1, routes[0].fields: this is missing. For example: [routes.fields] "
                    'with pressure = { path = "pressure" }, or [[routes.wildcards]]'
                )
            ],
        ),
        (
            ROUTE + FIELDS + ROUTE + FIELDS,
            [
                (
                    "line 1, routes[0]: it takes every message, so that no route after it is "
                    "ever reached. Give it `topics` or `where`, or make it the last one"
                )
            ],
        ),
        (
            ROUTE + "[routes.fields]\nrpm = {path = 'a..b', type = 'flaot'}\n",
            [
                (
                    "line 4, routes[0].fields.rpm.path: a path is names joined by dots, for "
                    "example `pressure`, `engine.rpm` or `samples[0].value`"
                ),
                (
                    "line 4, routes[0].fields.rpm.type: input should be 'float', 'integer', "
                    "'boolean' or 'string'. Did you mean \"float\"?"
                ),
            ],
        ),
        (
            ROUTE + "[routes.fields]\nrpm = {path = 5}\n",
            ["line 4, routes[0].fields.rpm.path: this must be a text: a path such as `engine.rpm`"],
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\nv = {path = 'v'}\n",
            [
                (
                    "line 4, routes[0].fields.v: a tag and a field cannot have one name. Rename "
                    "one of them"
                )
            ],
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\na = {}\nb = {path = 'x', constant = 'y'}\n",
            [
                "line 6, routes[0].tags.a: give exactly one of `path`, `template` and `constant`",
                "line 7, routes[0].tags.b: give exactly one of `path`, `template` and `constant`",
            ],
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\na = {template = 'x'}\nb = {template = '{x}}'}\n",
            [
                (
                    "line 6, routes[0].tags.a: a template holds paths in braces, for example "
                    "`{site}-{device}`"
                ),
                (
                    "line 7, routes[0].tags.b: a template holds paths in braces, for example "
                    "`{site}-{device}`"
                ),
            ],
        ),
        (
            ROUTE + "[routes.fields]\n" + "time = {path = 'v'}\n'' = {path = 'v'}\n"
            "'a\\' = {path = 'v'}\n\"a\\n\" = {path = 'v'}\n",
            [
                (
                    "line 4, routes[0].fields.time: "
                    "InfluxDB keeps this name for itself; choose another"
                ),
                'line 5, routes[0].fields."": it is empty; give it a name',
                (
                    'line 6, routes[0].fields."a\\\\": it ends with a backslash, which the line '
                    "protocol cannot express; leave it out"
                ),
                'line 7, routes[0].fields."a\\n": it holds a control character; leave it out',
            ],
        ),
        (
            "[[routes]]\nmeasurement = '#m'\n" + FIELDS,
            [
                (
                    "line 2, routes[0].measurement: it begins with #, which makes the line a "
                    "comment; begin with something else"
                )
            ],
        ),
        (
            ROUTE + "colour = 'red'\n" + FIELDS + "[routes.metadata]\nmissing = 'ignore'\n",
            [
                (
                    "line 3, routes[0].colour: there is no such setting. Known here: name, "
                    "topics, where, payload, measurement, tags, fields, wildcards, metadata, "
                    "time"
                ),
                'line 6, routes[0].metadata.key: this is missing. For example: key = "metakey"',
                (
                    "line 7, routes[0].metadata.missing: "
                    "input should be 'write', 'hold' or 'reject'. "
                    'For example: missing = "write"'
                ),
            ],
        ),
        (
            ROUTE + "time = 5\n" + FIELDS,
            [
                (
                    "line 3, routes[0].time: this must be a table. For example: [routes.time] "
                    'with paths = ["sensordatetime"]'
                )
            ],
        ),
        (
            ROUTE + FIELDS + "[routes.time]\npaths = 'a'\npast_days = -1\n",
            [
                (
                    "line 6, routes[0].time.paths: this must be an array. For example: paths = "
                    '["sensordatetime", "received_at"]'
                ),
                "line 7, routes[0].time.past_days: input should be greater than or equal to 0",
            ],
        ),
    ],
)
def test_names_every_mistake(text: str, mistakes: list[str]) -> None:
    """All mistakes are found at once, each with its place."""
    with pytest.raises(MappingError) as error:
        parse_mapping(text)

    assert error.value.mistakes == mistakes

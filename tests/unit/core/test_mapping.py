"""The mapping document."""

import pytest

from ingestor.core.mapping import (
    DEFAULT_MAPPING,
    MappingError,
    MissingPolicy,
    Tag,
    parse_mapping,
)

FIELDS = "[routes.fields]\nv = {path = 'v'}\n"
ROUTE = "[[routes]]\nmeasurement = 'm'\n"


def test_default() -> None:
    """The built-in mapping is the one of the 2020 demo's pressure device."""
    (route,) = parse_mapping(DEFAULT_MAPPING).routes

    assert route.measurement == "pressure"
    assert route.tags["sensorID"].parts == (("deviceid",), ("clientid",))
    assert {name: rule.path for name, rule in route.fields.items()} == {
        "pressureValue": ("pressure",),
        "viscosity": ("viscosity",),
    }
    assert route.metadata is not None
    assert (route.metadata.key, route.metadata.missing) == (("metakey",), MissingPolicy.WRITE)
    assert route.time.paths == (("sensordatetime",), ("received_at",))


def test_smallest() -> None:
    """Measurement and one field are enough."""
    (route,) = parse_mapping(ROUTE + FIELDS).routes

    assert route.metadata is None
    assert route.time.paths == ()
    assert route.fields["v"].type == "float"


def test_template_with_texts() -> None:
    """A template joins texts and paths."""
    assert Tag(template="{site}/{a.b}!").parts == (("site",), "/", ("a", "b"), "!")
    assert Tag(constant="x").parts == ("x",)
    assert Tag(path=("a",)).parts == (("a",),)


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("routes = ", ["it is not TOML: Invalid value (at end of document)"]),
        ("a = " + "[" * 100_000, ["it is not a mapping: it is nested too deeply"]),
        ("", ["routes: this is missing"]),
        ("routes = 1", ["routes: this must be an array"]),
        ("routes = [1]", ["routes[0]: this must be a table"]),
        ("routes = []", ["routes: at least one is needed"]),
        (ROUTE, ["routes[0].fields: this is missing"]),
        (ROUTE + FIELDS + ROUTE + FIELDS, ["routes: this version takes one route"]),
        (
            ROUTE + "[routes.fields]\nrpm = {path = 'a..b', type = 'flaot'}\n",
            [
                (
                    "routes[0].fields.rpm.path: "
                    "a path is names joined by dots, for example `pressure` or `engine.rpm`"
                ),
                (
                    "routes[0].fields.rpm.type: "
                    "input should be 'float', 'integer', 'boolean' or 'string'"
                ),
            ],
        ),
        (
            ROUTE + "[routes.fields]\nrpm = {path = 5}\n",
            ["routes[0].fields.rpm.path: this must be an array"],
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\nv = {path = 'v'}\n",
            ["routes[0]: v: a tag and a field cannot have one name"],
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\na = {}\nb = {path = 'x', constant = 'y'}\n",
            [
                "routes[0].tags.a: give exactly one of `path`, `template` and `constant`",
                "routes[0].tags.b: give exactly one of `path`, `template` and `constant`",
            ],
        ),
        (
            ROUTE + FIELDS + "[routes.tags]\na = {template = 'x'}\nb = {template = '{x}}'}\n",
            [
                f"routes[0].tags.{tag}: "
                "a template holds paths in braces, for example `{site}-{device}`"
                for tag in "ab"
            ],
        ),
        (
            ROUTE + "[routes.fields]\n" + "time = {path = 'v'}\n'' = {path = 'v'}\n"
            "'a\\' = {path = 'v'}\n\"a\\n\" = {path = 'v'}\n",
            [
                "routes[0].fields.time: InfluxDB keeps this name for itself",
                "routes[0].fields.: it is empty",
                (
                    "routes[0].fields.a\\: "
                    "it ends with a backslash, which the line protocol cannot express"
                ),
                "routes[0].fields.a\n: it holds a control character",
            ],
        ),
        (
            "[[routes]]\nmeasurement = '#m'\n" + FIELDS,
            ["routes[0].measurement: it begins with #, which makes the line a comment"],
        ),
        (
            ROUTE + "colour = 'red'\n" + FIELDS + "[routes.metadata]\nmissing = 'ignore'\n",
            [
                "routes[0].metadata.key: this is missing",
                "routes[0].metadata.missing: input should be 'write', 'hold' or 'reject'",
                "routes[0].colour: there is no such setting",
            ],
        ),
        (
            ROUTE + "time = 5\n" + FIELDS,
            ["routes[0].time: this must be a table"],
        ),
        (
            ROUTE + FIELDS + "[routes.time]\npaths = 'a'\npast_days = -1\n",
            [
                "routes[0].time.paths: this must be an array",
                "routes[0].time.past_days: input should be greater than or equal to 0",
            ],
        ),
    ],
)
def test_names_every_mistake(text: str, mistakes: list[str]) -> None:
    """All mistakes are found at once, each with its place."""
    with pytest.raises(MappingError) as error:
        parse_mapping(text)

    assert error.value.mistakes == mistakes

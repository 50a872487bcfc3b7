"""Our own rules for dashboards: readable, movable, complete."""

import re
from collections.abc import Callable, Iterator
from typing import Any

SCHEMA_VERSION = 42
"""Of Grafana 12; what it would otherwise migrate at each load."""

COLUMNS = 24
OWN_SOURCE = {"type": "influxdb", "uid": "${environment}"}
COMPUTED = {"type": "__expr__", "uid": "__expr__"}

_USED = re.compile(r"\$\{?(?!tag_|col\b|timeFilter\b|__)(\w+)")

Json = dict[str, Any]


def findings(board: Json) -> list[str]:
    """Everything that is wrong with a dashboard, each in a sentence."""
    found = [each for rule in _BOARD_RULES for each in rule(board)]
    for panel in board["panels"]:
        rules = _PANEL_RULES if panel["type"] == "text" else (*_PANEL_RULES, *_DATA_RULES)
        found += [f"{panel.get('title')}: {each}" for rule in rules for each in rule(panel)]
    return found


def _is_described(board: Json) -> Iterator[str]:
    for key in ("title", "description", "uid", "tags"):
        if not board.get(key):
            yield f"no {key}"
    if board["schemaVersion"] != SCHEMA_VERSION:
        yield f"schema version {board['schemaVersion']}, not {SCHEMA_VERSION}"
    if board.get("id") is not None:
        yield "an id, which is of one Grafana"


def _variables_are_whole(board: Json) -> Iterator[str]:
    for variable in board["templating"]["list"]:
        name = f"variable {variable['name']}"
        if not (variable.get("label") and variable.get("description")):
            yield f"{name}: no label or description"
        if variable.get("datasource", OWN_SOURCE) != OWN_SOURCE:
            yield f"{name}: not the data source of the variable"
        chosen = variable["current"].get("value", "$__all")
        if variable["type"] in {"query", "datasource"} and (
            variable["options"] or chosen != "$__all"
        ):
            yield f"{name}: a value of one environment"


def _variables_exist(board: Json) -> Iterator[str]:
    known = {each["name"]: each["type"] for each in board["templating"]["list"]}
    texts = [each["query"] for each in board["templating"]["list"]]
    texts += [each["target"]["query"] for each in board["annotations"]["list"]]
    targets = [target for panel in board["panels"] for target in panel["targets"]]
    texts += [each["query"] for each in targets if "query" in each]
    used = {name for text in texts for name in _USED.findall(text)}
    for name in sorted(used - known.keys()):
        yield f"variable {name} is used and not there"
    if targets and known.get("environment") != "datasource":
        yield "no variable environment that names the data source"


def _annotations_move(board: Json) -> Iterator[str]:
    for each in board["annotations"]["list"]:
        if each["datasource"] != OWN_SOURCE:
            yield f"annotation {each['name']}: not the data source of the variable"


def _panels_have_their_place(board: Json) -> Iterator[str]:
    taken: dict[tuple[int, int], int] = {}
    for panel in board["panels"]:
        grid = panel["gridPos"]
        if grid["x"] + grid["w"] > COLUMNS:
            yield f"{panel['title']}: wider than the dashboard"
        cells = [
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]
        if any(taken.setdefault(cell, id(panel)) != id(panel) for cell in cells):
            yield f"{panel['title']}: overlaps with another panel"
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) < len(ids):
        yield "two panels have the same id"


def _panel_is_described(panel: Json) -> Iterator[str]:
    if not panel.get("title"):
        yield "no title"
    if not str(panel.get("description", "")).endswith("."):
        yield "no description in sentences"


def _figures_are_readable(panel: Json) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    if not defaults.get("unit"):
        yield "no unit"
    if not defaults.get("thresholds", {}).get("steps"):
        yield "no thresholds"


def _sources_move(panel: Json) -> Iterator[str]:
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    if any(source not in (OWN_SOURCE, COMPUTED) for source in sources):
        yield "not the data source of the variable"


def _queries_are_bounded(panel: Json) -> Iterator[str]:
    queries = [target["query"] for target in panel["targets"] if "query" in target]
    if not queries:
        yield "no query"
    for query in queries:
        # The last value of one device is found without reading the others.
        bounded = "$timeFilter" in query or "now() -" in query or "$device" in query
        if not bounded and "${device:" not in query:
            yield "reads all times"


_BOARD_RULES: tuple[Callable[[Json], Iterator[str]], ...] = (
    _is_described,
    _variables_are_whole,
    _variables_exist,
    _annotations_move,
    _panels_have_their_place,
)
_PANEL_RULES: tuple[Callable[[Json], Iterator[str]], ...] = (_panel_is_described,)
_DATA_RULES: tuple[Callable[[Json], Iterator[str]], ...] = (
    _figures_are_readable,
    _sources_move,
    _queries_are_bounded,
)

"""Dashboards, alert rules and their queries as Grafana finds them in `grafana/`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

GRAFANA = Path(__file__).parent.parent.parent / "grafana"
EVERYTHING = ".*"
"""The value of a variable that is not narrowed down; stands in regular expressions as it is."""

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|(?P<plain>\w+))")
_IN_REGEX = re.compile(r"[\\^$*+?.()|\[\]{}/]")


@dataclass(slots=True, frozen=True)
class Query:
    """One InfluxQL query and where it stands; `alias` names its series, `ref` the query."""

    place: str
    text: str
    ref: str = "A"
    alias: str = ""


@dataclass(slots=True, frozen=True)
class Surroundings:
    """What Grafana puts in: the values of variables, the time range, the interval in seconds."""

    variables: Mapping[str, str]
    time_filter: str
    interval_seconds: int

    def fill(self, text: str) -> str:
        """A query with everything put in; KeyError for a variable that nobody has set."""
        return _VARIABLE.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        match name:
            case "timeFilter" | "__timeFilter":
                return self.time_filter
            case "__interval":
                return f"{self.interval_seconds}s"
            case "__interval_ms":
                return str(self.interval_seconds * 1000)
        value = self.variables[name]
        if match["format"] == "regex" and value != EVERYTHING:
            return _IN_REGEX.sub(r"\\\g<0>", value)
        return value


def load_boards(folder: Path = GRAFANA / "dashboards") -> dict[str, dict[str, Any]]:
    """Every dashboard by the name of its file, without the ending."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }


def panel_queries(name: str, panel: Mapping[str, Any]) -> list[Query]:
    """The queries of one panel; what Grafana computes of their results is none."""
    return [
        Query(
            f"{name}: {panel['title']}: {target['refId']}",
            target["query"],
            target["refId"],
            target.get("alias", ""),
        )
        for target in panel.get("targets", [])
        if "query" in target
    ]


def board_queries(name: str, board: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of all panels, variables and annotations of one dashboard."""
    for panel in board["panels"]:
        yield from panel_queries(name, panel)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(f"{name}: variable {variable['name']}", variable["query"])
    for annotation in board["annotations"]["list"]:
        yield Query(f"{name}: annotation {annotation['name']}", annotation["target"]["query"])


def load_rules(file: Path = GRAFANA / "provisioning/alerting/rules.yaml") -> list[dict[str, Any]]:
    """Every alert rule."""
    content = yaml.safe_load(file.read_text("utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def rule_queries(rule: Mapping[str, Any]) -> list[Query]:
    """The queries of an alert rule."""
    return [
        Query(f"alert {rule['title']}: {each['refId']}", each["model"]["query"], each["refId"])
        for each in rule["data"]
        if "query" in each["model"]
    ]


def chronograf_queries(folder: Path = GRAFANA.parent / "docker/chronograf") -> list[Query]:
    """The queries of the dashboards for Chronograf, their own variables put in Grafana's way."""
    found = []
    for path in sorted(folder.glob("*.dashboard")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            for query in cell["queries"]:
                text = query["query"].replace("time > :dashboardTime:", "$timeFilter")
                text = text.replace(":interval:", "$__interval")
                found.append(Query(f"chronograf: {cell['name']}", text))
    return found


def all_queries() -> list[Query]:
    """Every query that there is."""
    return [
        *(query for name, board in load_boards().items() for query in board_queries(name, board)),
        *(query for rule in load_rules() for query in rule_queries(rule)),
        *chronograf_queries(),
    ]

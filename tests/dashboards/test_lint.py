"""The dashboards keep our own rules, and the rules notice when they do not."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from loadtest.dashboards.boards import GRAFANA, load_boards, load_rules
from loadtest.dashboards.lint import findings

BOARDS = load_boards()
Json = dict[str, Any]


@pytest.mark.parametrize("name", BOARDS)
def test_no_findings(name: str) -> None:
    """Title, description, unit, thresholds, data source variable, place: all there."""
    assert findings(BOARDS[name]) == []


@pytest.mark.parametrize("name", BOARDS)
def test_its_file_reads_well(name: str) -> None:
    """One form, so that a diff shows what changed: two spaces, no escapes."""
    text = (GRAFANA / "dashboards" / f"{name}.json").read_text("utf-8")

    assert text == json.dumps(BOARDS[name], indent=2, ensure_ascii=False) + "\n"


def test_nothing_of_one_user_is_written_in() -> None:
    """Makers, families and devices come from the data."""
    text = json.dumps(BOARDS)

    assert not [maker for maker in ("Acme", "Northwind", "Brenner", "Kaisei") if maker in text]


def _panel(board: Json) -> Json:
    panel: Json = board["panels"][0]
    return panel


MUTATIONS: dict[str, Callable[[Json], object]] = {
    "no title": lambda b: _panel(b).update(title=""),
    "no description": lambda b: _panel(b).pop("description"),
    "no unit": lambda b: _panel(b)["fieldConfig"]["defaults"].pop("unit"),
    "no thresholds": lambda b: _panel(b)["fieldConfig"]["defaults"].pop("thresholds"),
    "not the data source": lambda b: _panel(b)["targets"][0].update(datasource="InfluxDB"),
    "no variable environment": lambda b: b["templating"]["list"].pop(0),
    "overlaps with": lambda b: _panel(b)["gridPos"].update(w=9),
    "wider than": lambda b: _panel(b)["gridPos"].update(x=20),
    "schema version": lambda b: b.update(schemaVersion=30),
    "the same id": lambda b: _panel(b).update(id=2),
    "is used and not there": lambda b: _panel(b)["targets"][0].update(query="$timeFilter $nobody"),
    "reads all times": lambda b: _panel(b)["targets"][0].update(query='SELECT "a" FROM "b"'),
    "a value of one environment": lambda b: b["templating"]["list"][1].update(
        current={"value": "Acme"}
    ),
}


@pytest.mark.parametrize("finding", MUTATIONS)
def test_what_is_broken_is_found(finding: str) -> None:
    """Each rule speaks up for a dashboard that breaks it."""
    board = copy.deepcopy(BOARDS["fleet"])
    MUTATIONS[finding](board)

    assert [each for each in findings(board) if finding in each]


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule["title"])
def test_an_alert_leads_to_its_panel_and_to_its_runbook(rule: Json) -> None:
    """Whoever is woken up sees what is wrong, and reads what to do."""
    board = next(each for each in BOARDS.values() if each["uid"] == rule["dashboardUid"])
    link = re.fullmatch(
        r"\{\{ externalURL }}d/ingestor-runbook\?viewPanel=(\d+)",
        rule["annotations"]["runbook_url"],
    )

    assert rule["panelId"] in [panel["id"] for panel in board["panels"]]
    assert link is not None
    (runbook,) = [each for each in BOARDS["runbook"]["panels"] if each["id"] == int(link[1])]
    assert runbook["title"] == rule["title"]
    assert rule["condition"] in [each["refId"] for each in rule["data"]]
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_runbook_is_the_page() -> None:
    """The dashboard shows the sections of runbook.md, word for word."""
    _, *sections = (GRAFANA / "runbook.md").read_text("utf-8").split("\n## ")
    panels = BOARDS["runbook"]["panels"]

    assert len(sections) == len(panels)
    for section, panel in zip(sections, panels, strict=True):
        title, _, body = section.partition("\n")
        assert (panel["title"], panel["options"]["content"]) == (title, f"{body.strip()}\n")

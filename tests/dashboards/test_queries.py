"""Every query of every dashboard, alert and variable, on a real InfluxDB that devices filled."""

from collections.abc import AsyncIterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio

from loadtest.dashboards.boards import Query, Surroundings, all_queries, load_boards
from loadtest.dashboards.live import filled_influxd, read_schema, surroundings
from loadtest.dashboards.names import Schema, unknown_names
from loadtest.dashboards.picture import draw
from loadtest.dashboards.results import ask, panel_series
from loadtest.servers import Influxd, ServerError
from loadtest.toolchain import FoundInfluxd

# One worker: the devices run once.
pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("dashboards"),
    pytest.mark.asyncio(loop_scope="session"),
]
QUERIES = all_queries()

shared = pytest_asyncio.fixture(scope="session", loop_scope="session")


@shared
async def filled(found_influxd: FoundInfluxd) -> AsyncIterator[Influxd]:
    """What twenty devices and the service leave behind after some seconds."""
    async with filled_influxd(found_influxd, seconds=12, devices=20) as influxd:
        yield influxd


@shared
async def around(filled: Influxd) -> Surroundings:
    """The variables, filled in."""
    return await surroundings(filled)


@shared
async def schema(filled: Influxd) -> Schema:
    """The names that the database has."""
    return await read_schema(filled)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
async def test_it_returns_rows(query: Query, filled: Influxd, around: Surroundings) -> None:
    """With its variables filled in, by the 1.x way (user, password) and the 2.x way (token)."""
    text = around.fill(query.text)

    rows = await filled.query_influxql(text)
    series = await ask(filled, text)

    assert rows
    assert any(value is not None for row in rows for value in row.values())
    assert sum(len(each["values"]) for each in series) > 0


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
async def test_it_asks_for_what_there_is(query: Query, schema: Schema) -> None:
    """InfluxDB answers a misspelt tag or field with null, not with an error."""
    assert unknown_names(query.text, schema) == []


@pytest.mark.parametrize("name", ["pressureValue", "sensorID", "lag_p99_seconds", "ingestor"])
async def test_a_renamed_field_is_found(name: str, schema: Schema) -> None:
    """Every query that uses the name fails when the name changes."""
    users = [query for query in QUERIES if f'"{name}"' in query.text]
    renamed = [replace(each, text=each.text.replace(f'"{name}"', '"renamed"')) for each in users]

    assert users
    assert all(unknown_names(each.text, schema) for each in renamed)


async def test_a_renamed_field_returns_nothing(filled: Influxd, around: Surroundings) -> None:
    """The database itself notices, too."""
    panel = next(each for each in QUERIES if each.place.startswith("fleet: Mean pressure"))
    text = around.fill(panel.text).replace("pressureValue", "pressure_value")

    assert await filled.query_influxql(text) == []


async def test_a_broken_query_is_an_error(filled: Influxd, around: Surroundings) -> None:
    """A missing parenthesis fails with InfluxDB's words."""
    with pytest.raises(ServerError, match="error parsing query"):
        await filled.query_influxql(around.fill(QUERIES[0].text.replace(")", "", 1)))


async def test_nothing_is_forgotten() -> None:
    """Panels of every dashboard, variables, annotations, alerts and Chronograf are all asked."""
    boards = load_boards()
    panels = [panel for board in boards.values() for panel in board["panels"]]
    asked = {query.place.split(":")[0] for query in QUERIES}

    assert {"fleet", "device", "ingest", "chronograf"} <= asked
    assert sum(place.startswith("alert ") for place in asked) == 4
    print(f"{len(boards)} dashboards, {len(panels)} panels, {len(QUERIES)} queries")  # noqa: T201 - shown by pytest -rP


async def test_every_panel_is_drawn(filled: Influxd, around: Surroundings) -> None:
    """The preview has every panel's title and every device's value, and says what it is."""
    for board in load_boards().values():
        panels = [panel for panel in board["panels"] if panel["targets"]]
        if not panels:
            continue
        series = {panel["id"]: await panel_series(filled, panel, around) for panel in panels}
        picture = draw(board, series, "A rendering, not a screenshot.")

        texts = [each.text or "" for each in ET.fromstring(picture).iter()]  # noqa: S314 - our own
        assert {panel["title"] for panel in panels} <= set(texts)
        assert "A rendering, not a screenshot." in texts
        assert "no data" not in texts


async def test_what_grafana_computes_is_computed(filled: Influxd, around: Surroundings) -> None:
    """Silent devices: those of the day without those of the last minutes."""
    fleet = load_boards()["fleet"]
    (panel,) = [each for each in fleet["panels"] if each["title"] == "Silent devices"]

    (series,) = await panel_series(filled, panel, around)

    assert (series.name, series.last) == ("silent", 0.0)

"""What the queries of a panel return, as the panel shows it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from loadtest.dashboards.boards import Query, Surroundings, panel_queries
from loadtest.servers import Influxd, ServerError

_TIMEOUT = aiohttp.ClientTimeout(total=60)
_DIFFERENCE = re.compile(r"\$(\w+) - \$(\w+)")

Json = Mapping[str, Any]


@dataclass(slots=True, frozen=True)
class Series:
    """One series of a result; times are epoch milliseconds."""

    name: str
    ref: str
    tags: Mapping[str, str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def last(self) -> float | None:
        """The last value of its first column."""
        return next((row[1] for row in reversed(self.rows) if row[1] is not None), None)


async def ask(influxd: Influxd, query: str) -> list[dict[str, Any]]:
    """The series of a query, asked as Grafana's data source does: a token, and the bucket's name.

    InfluxDB 1.8 takes `user:password` for a token, so that both answer alike. Raises ServerError
    when it refuses the query, errors of aiohttp when it does not answer.
    """
    headers = {"Authorization": f"Token {influxd.token}"}
    form = {"db": influxd.database, "epoch": "ms", "q": query}
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT) as session,
        session.post(f"{influxd.url}/query", data=form, headers=headers) as response,
    ):
        answer = await response.json()
    for part in (answer, *answer.get("results", [])):
        if "error" in part:
            raise ServerError(f"{query}: {part['error']}")
    series: list[dict[str, Any]] = answer["results"][0].get("series", [])
    return series


async def panel_series(influxd: Influxd, panel: Json, around: Surroundings) -> list[Series]:
    """Everything that a panel shows: one series for each column of each series returned."""
    found = [
        series
        for query in panel_queries("", panel)
        for each in await ask(influxd, around.fill(query.text))
        for series in _split(query, each, is_table=panel["type"] == "table")
    ]
    hidden = {target["refId"] for target in panel["targets"] if target.get("hide")}
    shown = [series for series in found if series.ref not in hidden]
    return shown + _computed(panel, found)


def _split(query: Query, series: Json, *, is_table: bool) -> list[Series]:
    tags, columns, rows = series.get("tags", {}), series["columns"], series["values"]
    if is_table:
        return [Series("", query.ref, tags, columns, rows)]
    return [
        Series(
            _name(query.alias or f"{series['name']}.$col", column, tags),
            query.ref,
            tags,
            ["time", column],
            [(row[0], row[n]) for row in rows],
        )
        for n, column in enumerate(columns)
        if column != "time"
    ]


def _name(alias: str, column: str, tags: Mapping[str, str]) -> str:
    filled = alias.replace("$col", column)
    return re.sub(r"\$tag_(\w+)", lambda match: tags.get(match[1], "") or "(none)", filled)


def _computed(panel: Json, found: Sequence[Series]) -> list[Series]:
    """The difference of two queries' last values: all that our panels let Grafana compute."""
    targets = {each["refId"]: each for each in panel["targets"]}
    values = {series.ref: series.last or 0.0 for series in found}
    computed = []
    for ref, target in targets.items():
        if match := _DIFFERENCE.fullmatch(target.get("expression", "")):
            left, right = (values.get(targets[each]["expression"], 0.0) for each in match.groups())
            computed.append(Series(ref, ref, {}, ["time", ref], [(0, left - right)]))
    return computed

"""The `SeriesReader` port over `GET /query`: InfluxDB 1.x, and 2.x with a DBRP mapping."""

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from ingestor.adapters.influxdb.query import Queries, open_queries
from ingestor.adapters.influxdb.series import Schema, fill, points_of, without_empty
from ingestor.console_ports import Function, Point, Span, Tags, Window
from ingestor.core.influxql import Bound, condition, identifier, select
from ingestor.ports import Clock

LONG_SECONDS = 60.0
"""For what is asked of all devices."""
MOST_MEASUREMENTS = 50
MOST_FIELDS = 50
SCHEMA_SECONDS = 15.0
"""How long the names of measurements and fields are taken for what they were."""
NUMERIC = frozenset({"float", "integer", "unsigned"})


@asynccontextmanager
async def open_reader(
    *,
    url: str,
    database: str,
    retention_policy: str | None,
    authorization: str | None,
    own: frozenset[str],
    clock: Clock,
) -> AsyncIterator["InfluxDbReader"]:
    """A reader of one database.

    Args:
        url: The address of InfluxDB, without a path.
        database: Its name; on InfluxDB 2.x the one that is mapped to the bucket.
        retention_policy: None: the default one.
        authorization: The header, from `basic` or `token`; None where nobody is asked for it.
        own: Measurements that are not devices'.
        clock: What the age of names is measured on.
    """
    parameters = {"db": database}
    if retention_policy is not None:
        parameters["rp"] = retention_policy
    async with open_queries(url, parameters, authorization) as queries:
        yield InfluxDbReader(queries, own=own, clock=clock)


def basic(username: str | None, password: str | None) -> str | None:
    """The header of the v1 API."""
    if username is None:
        return None
    pair = f"{username}:{password or ''}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def token(text: str) -> str:
    """The header of the v2 API; on InfluxDB 1.8 the token is `user:password`."""
    return f"Token {text}"


class InfluxDbReader:
    """Made by `open_reader`. Reads only: the statements are SELECT and SHOW."""

    def __init__(self, queries: Queries, *, own: frozenset[str], clock: Clock) -> None:
        self._ask = queries.ask
        self._where = queries.where
        self._own = own
        self._clock = clock
        self._schema: tuple[float, Schema] | None = None

    def __repr__(self) -> str:
        return f"<InfluxDbReader {self._where}>"

    async def last(
        self,
        *,
        where: Sequence[Tags],
        group: Sequence[str],
        since_ns: int,
        measurement: str | None = None,
    ) -> list[Point]:
        """See SeriesReader."""
        return await self._points(
            measurement,
            where,
            begin_ns=since_ns,
            group=group,
            rest="ORDER BY time DESC LIMIT 1",
        )

    async def windows(
        self,
        span: Span,
        *,
        functions: Sequence[Function],
        where: Sequence[Tags] = (),
        group: Sequence[str] = (),
        measurement: str | None = None,
    ) -> list[Window]:
        """See SeriesReader."""
        bound = Bound()
        clause = condition(where, bound)
        statements = []
        wanted: list[list[tuple[Function, str]]] = []
        for name, types in (await self._sources(measurement)).items():
            fields = [field for field, kind in types.items() if kind in NUMERIC][:MOST_FIELDS]
            if not fields:
                continue
            pairs = [(how, field) for field in fields for how in functions]
            wanted.append(pairs)
            what = ", ".join(
                f"{how}({identifier(field)}) AS c{n}" for n, (how, field) in enumerate(pairs)
            )
            statements.append(
                select(
                    what,
                    name,
                    begin_ns=span.begin_ns,
                    end_ns=span.end_ns,
                    where=clause,
                    group=(f"time({span.step_ns:d}ns)", *map(identifier, group)),
                    rest="fill(none)",
                )
            )
        found: dict[tuple[str, tuple[str, ...]], Window] = {}
        async for number, series in self._ask(statements, bound):
            key = series.name, tuple(series.tags.get(name, "") for name in group)
            window = found.get(key)
            if window is None:
                empty: dict[tuple[Function, str], list[float | None]]
                empty = {pair: [None] * span.steps for pair in wanted[number]}
                window = found[key] = Window(series.name, dict(series.tags), empty)
            fill(window, series, wanted[number], span)
        return [without_empty(window) for window in found.values()]

    async def points(
        self, *, measurement: str, where: Sequence[Tags], begin_ns: int, end_ns: int, limit: int
    ) -> list[Point]:
        """See SeriesReader."""
        return await self._points(
            measurement,
            where,
            begin_ns=begin_ns,
            end_ns=end_ns,
            rest=f"ORDER BY time LIMIT {limit:d}",
        )

    async def seen(
        self, group: Sequence[str], *, since_ns: int, limit: int
    ) -> dict[tuple[str, ...], int]:
        """See SeriesReader."""
        statements = [
            select(
                "*::field",
                name,
                begin_ns=since_ns,
                group=map(identifier, group),
                rest="ORDER BY time DESC LIMIT 1",
            )
            for name in await self._sources(None)
        ]
        found: dict[tuple[str, ...], int] = {}
        asking = self._ask(statements, Bound(), seconds=LONG_SECONDS)
        async with aclosing(asking) as answers:
            async for _, series in answers:
                key = tuple(series.tags.get(name, "") for name in group)
                found[key] = max(found.get(key, 0), *(int(row[0] or 0) for row in series.values))
                if len(found) >= limit:
                    break
        return found

    async def fields(self) -> Schema:
        """See SeriesReader."""
        now = self._clock.monotonic()
        if self._schema is None or now - self._schema[0] > SCHEMA_SECONDS:
            schema: Schema = {}
            async for _, series in self._ask(["SHOW FIELD KEYS"], Bound()):
                if len(schema) < MOST_MEASUREMENTS or series.name in schema:
                    named = schema.setdefault(series.name, {})
                    named |= {str(name): str(kind) for name, kind, *_ in series.values}
            self._schema = now, schema
        return self._schema[1]

    async def _points(
        self,
        measurement: str | None,
        where: Sequence[Tags],
        *,
        begin_ns: int,
        end_ns: int | None = None,
        group: Sequence[str] = (),
        rest: str,
    ) -> list[Point]:
        schema = await self._sources(measurement)
        bound = Bound()
        clause = condition(where, bound)
        statements = [
            select(
                "*::field",
                name,
                begin_ns=begin_ns,
                end_ns=end_ns,
                where=clause,
                group=map(identifier, group),
                rest=rest,
            )
            for name in schema
        ]
        return [
            point
            async for _, series in self._ask(statements, bound)
            for point in points_of(series, schema.get(series.name, {}))
        ]

    async def _sources(self, measurement: str | None) -> Schema:
        """The measurements to ask, with their fields."""
        schema = await self.fields()
        if measurement is not None:
            return {measurement: schema[measurement]} if measurement in schema else {}
        return {name: types for name, types in schema.items() if name not in self._own}

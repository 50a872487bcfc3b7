"""What InfluxDB answers to a query, as far as we read it, and what we make of it."""

from collections.abc import Mapping, Sequence

import msgspec

from ingestor.console_ports import Function, Point, Span, Value, Window

Cell = float | int | bool | str | None


class Series(msgspec.Struct):
    """Rows of one measurement and group of tags."""

    columns: list[str]
    name: str = ""
    tags: dict[str, str] = {}
    values: list[list[Cell]] = []


class Result(msgspec.Struct):
    """What one statement gave, or a part of it."""

    statement_id: int = 0
    series: list[Series] = []
    error: str | None = None


class Answer(msgspec.Struct):
    """One line of a chunked reply."""

    results: list[Result] = []
    error: str | None = None


decode = msgspec.json.Decoder(Answer).decode
Schema = dict[str, dict[str, str]]
"""The types of fields by measurement and field."""


def points_of(series: Series, types: Mapping[str, str]) -> list[Point]:
    """Rows as points; `types` are those of their fields."""
    return [
        Point(
            series.name,
            dict(series.tags),
            int(row[0] or 0),
            {
                name: _value(cell, types.get(name, ""))
                for name, cell in zip(series.columns[1:], row[1:], strict=True)
                if cell is not None
            },
        )
        for row in series.values
    ]


def _value(cell: Value, kind: str) -> Value:
    # JSON has one kind of number: InfluxDB writes the float 10 as 10.
    return float(cell) if kind == "float" else cell


def fill(window: Window, series: Series, pairs: Sequence[tuple[Function, str]], span: Span) -> None:
    """Put rows into their steps; `pairs[i]` is what the i-th column after the time is."""
    for time, *cells in series.values:
        step = (int(time or 0) - span.begin_ns) // span.step_ns
        if 0 <= step < span.steps:
            for pair, cell in zip(pairs, cells, strict=True):
                if cell is not None:
                    window.values[pair][step] = float(cell)


def without_empty(window: Window) -> Window:
    """Without the fields that the measurement has, but not in this group and span."""
    kept = {
        pair: values
        for pair, values in window.values.items()
        if any(value is not None for value in values)
    }
    return Window(window.measurement, window.tags, kept)

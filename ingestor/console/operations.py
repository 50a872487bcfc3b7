"""The operations of `/api/v1`: what each takes, answers and allows."""

from dataclasses import dataclass, field
from typing import Any

from ingestor.console import model

JSON, CSV, EVENTS = "application/json", "text/csv", "text/event-stream"
MOST_CSV_BYTES = 5 * 2**20
Schema = dict[str, Any]


@dataclass(slots=True, frozen=True)
class Parameter:
    """One parameter of the query."""

    name: str
    schema: Schema
    description: str
    required: bool = False


@dataclass(slots=True, frozen=True)
class Operation:
    """One operation: what it takes and what it answers when all is well."""

    name: str
    method: str
    path: str
    summary: str
    answer: type[model.Answer] | str
    permission: model.Permission = "read"
    body: type[model.Request] | str | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    status: tuple[int, ...] = (200,)
    headers: dict[str, str] = field(default_factory=dict)
    conditional: bool = False


def _text(most: int, **more: Any) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most, **more}


def _whole(least: int, most: int, default: int | None = None) -> Schema:
    schema: Schema = {"type": "integer", "minimum": least, "maximum": most}
    return schema if default is None else {**schema, "default": default}


_MOST_MS = 4_102_444_800_000  # 2100
KEY = (
    Parameter("key", _text(2048), "The key of the metadata record.", required=True),
    Parameter("sort_key", _text(1024), "Its sort key, where the table has one."),
)
DEVICE = Parameter("id", _text(2048), "The device, as the list names it.", required=True)
PAGE = (
    Parameter("q", _text(200), "Only those with this text in a name or value, in any case."),
    Parameter(
        "where",
        {"type": "array", "items": _text(200, pattern="^[^=]+=.*$"), "maxItems": 5},
        "`attribute=value`, repeated: only those with a record that has all of these.",
    ),
    Parameter("limit", _whole(1, 200, 50), "Most items of a page."),
    Parameter("cursor", _text(3100), "`next` of the page before."),
)
RANGE = (
    Parameter("from_ms", _whole(0, _MOST_MS), "Begin; default: an hour before the end."),
    Parameter("to_ms", _whole(0, _MOST_MS), "End; default: now."),
)
POINTS = Parameter("points", _whole(10, 1000, 300), "Most steps.")
MEASUREMENT = Parameter("measurement", _text(256), "One measurement of the device.", required=True)

OPERATIONS = (
    Operation("session", "get", "/session", "Who asks, and what they may do", model.Session),
    Operation("figures", "get", "/figures", "What all tasks do now", model.Figures),
    Operation(
        "events",
        "get",
        "/events",
        "Live figures: an event `figures` each second, a comment when there is nothing new; a "
        "reader that is too slow misses some",
        EVENTS,
    ),
    Operation(
        "curves",
        "get",
        "/figures/curves",
        "Figures over time, from what all tasks wrote to InfluxDB: received_per_s, stored_per_s, "
        "rejected_per_s, lag_p50_ms, lag_p99_ms, backlog",
        model.Curves,
        parameters=(*RANGE, POINTS),
        problems=(422,),
    ),
    Operation(
        "recent",
        "get",
        "/figures/recent",
        "The last five minutes by the second, as the task that answers saw them; the same curves "
        "and devices_reporting",
        model.Curves,
    ),
    Operation(
        "devices",
        "get",
        "/devices",
        "Devices of the last week, by id, with what was stored last",
        model.DevicePage,
        parameters=(
            *PAGE,
            Parameter(
                "state",
                {"type": "string", "enum": ["all", "reporting", "silent"], "default": "all"},
                "Only devices that report, or that do not.",
            ),
        ),
        problems=(422,),
    ),
    Operation(
        "attributes",
        "get",
        "/attributes",
        "What devices can be filtered by",
        model.Attributes,
    ),
    Operation(
        "device",
        "get",
        "/device",
        "One device",
        model.DeviceDetail,
        parameters=(DEVICE,),
        problems=(404, 422),
    ),
    Operation(
        "device_series",
        "get",
        "/device/series",
        "The numeric fields of one measurement over a range, in even steps",
        model.DeviceSeries,
        parameters=(DEVICE, MEASUREMENT, *RANGE, POINTS),
        problems=(422,),
    ),
    Operation(
        "device_csv",
        "get",
        "/device/series.csv",
        "Every reading of one measurement over a range, at most 50,000; `X-Truncated: true` when "
        "there are more",
        CSV,
        parameters=(DEVICE, MEASUREMENT, *RANGE),
        problems=(422,),
        headers={"X-Truncated": "`true` when there are more readings than the answer has."},
    ),
    Operation(
        "records",
        "get",
        "/metadata",
        "Metadata records, by key",
        model.RecordPage,
        parameters=PAGE,
        problems=(422,),
    ),
    Operation(
        "record",
        "get",
        "/metadata/record",
        "One record, as it is in the table now; 304 where If-None-Match has its ETag",
        model.Record,
        parameters=KEY,
        problems=(404, 422),
        status=(200, 304),
        headers={"ETag": "The state of the record."},
    ),
    Operation(
        "put_record",
        "put",
        "/metadata/record",
        "Replace a record (If-Match with its ETag) or add one (If-None-Match: *)",
        model.Saved,
        permission="metadata:write",
        body=model.NewRecord,
        parameters=KEY,
        problems=(404, 412, 413, 415, 422, 428),
        status=(200, 201),
        headers={"ETag": "The state of the record now."},
        conditional=True,
    ),
    Operation(
        "refresh",
        "post",
        "/metadata/refresh",
        "Drop copies of records, so that the next readings get them anew",
        model.Refreshed,
        permission="metadata:write",
        body=model.Keys,
        problems=(413, 415, 422),
    ),
    Operation(
        "export_records",
        "get",
        "/metadata/export.csv",
        "All records that match: key columns, then attributes; `name:N` is a number, `name:BOOL` "
        "true or false, `name:SS` and `name:NS` sets as JSON arrays",
        CSV,
        parameters=PAGE[:2],
        problems=(422,),
        headers={"X-Truncated": "`true` when the index is not complete."},
    ),
    Operation(
        "import_records",
        "post",
        "/metadata/import",
        "Add and change records from CSV as the export writes it; empty cells and absent columns "
        "leave attributes as they are; with any mistake in it (422) nothing is written",
        model.Imported,
        permission="metadata:write",
        body=CSV,
        parameters=(
            Parameter("dry_run", {"type": "boolean", "default": False}, "Only check the file."),
        ),
        problems=(413, 415, 422),
    ),
    Operation(
        "letters",
        "get",
        "/dead-letters",
        "Dead letters by stage and reason, with samples",
        model.Letters,
    ),
    Operation(
        "letter",
        "get",
        "/dead-letters/letter",
        "One dead letter with its payload, the place of the mistake, and what becomes of it now",
        model.Letter,
        parameters=(Parameter("id", _text(200), "As the list names it.", required=True),),
        problems=(404, 422),
    ),
    Operation(
        "count_letters",
        "post",
        "/dead-letters/count",
        "Select letters: how many, and what confirms a replay or purge of exactly these",
        model.Counted,
        body=model.Selection,
        problems=(413, 415, 422),
    ),
    Operation(
        "replay_letters",
        "post",
        "/dead-letters/replay",
        "Send the selected letters to the service again; each is then deleted",
        model.Done,
        permission="letters:replay",
        body=model.Confirmed,
        problems=(409, 413, 415, 422),
    ),
    Operation(
        "purge_letters",
        "post",
        "/dead-letters/purge",
        "Delete the selected letters for good",
        model.Done,
        permission="letters:purge",
        body=model.Confirmed,
        problems=(409, 413, 415, 422),
    ),
    Operation("mapping", "get", "/mapping", "The mapping in force", model.MappingInfo),
    Operation(
        "try_payload",
        "post",
        "/mapping/try",
        "What the mapping in force, or another one, makes of a payload; nothing is stored",
        model.Outcome,
        body=model.Try,
        problems=(413, 415, 422),
    ),
)

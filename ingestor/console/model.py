"""What `/api/v1` takes and answers. `openapi.json` is made from these types.

Times are epoch milliseconds (`…_ms`), or epoch seconds in `times`, which charts take as they are.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Role = Literal["viewer", "operator"]
Permission = Literal["read", "metadata:write", "letters:replay", "letters:purge"]
Level = Literal["ok", "warning", "problem"]
Typed = dict[str, Any]
"""A value in DynamoDB's typed form: `{"S": "text"}`, `{"N": "1.5"}`, `{"BOOL": true}`, ..."""


class Answer(Struct, kw_only=True):
    """The base of everything that is answered."""


class Request(Struct, kw_only=True, forbid_unknown_fields=True):
    """The base of everything that is taken: a member that is not known is a mistake."""


class FieldProblem(Answer):
    """One mistake in what was sent: where (a JSON pointer, or `line 3`), and what."""

    where: str
    detail: str


class Problem(Answer):
    """RFC 9457. `type` is `about:blank` or `urn:ingestor:<what>`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | UnsetType = UNSET
    count: int | UnsetType = UNSET
    confirmation: str | UnsetType = UNSET


class Link(Answer):
    """The way into another application."""

    name: Literal["grafana", "chronograf"]
    url: str


class Session(Answer):
    """Who asks, and what they may do. Locally nobody signs in, and everything is allowed."""

    mode: Literal["local", "cognito"]
    user: str | None
    role: Role
    permissions: list[Permission]
    links: list[Link]
    version: str
    task: str
    expires_ms: int | None


class SignIn(Answer):
    """`/config.json`: how to sign in. All are null where nobody has to."""

    issuer: str | None
    client: str | None
    signIn: str | None  # noqa: N815 - the name that the deployed file has


class Sentence(Answer):
    """Health in words."""

    level: Level
    text: str


class Lag(Answer):
    """Milliseconds from a message's entry into the queue until it was stored."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class DeviceCounts(Answer):
    """Devices of the last week: those with a reading within the window, and all others."""

    known: int
    reporting: int
    silent: int
    window_seconds: int


class Buffer(Answer):
    """How full a buffer is; `limit` is null where there is none of its own."""

    name: str
    unit: Literal["messages", "bytes", "lines", "batches"]
    used: float
    limit: float | None


class Step(Answer):
    """One step of a message's way; `waiting` is why it does not go on, if it does not."""

    name: Literal["queue", "receive", "decode", "enrich", "batch", "write", "settle"]
    per_s: float | None
    unit: str
    buffers: list[Buffer]
    waiting: str | None


class Dependency(Answer):
    """Whether the last call to it worked, and why not."""

    name: Literal["sqs", "dynamodb", "influxdb"]
    up: bool
    reason: str | None


class Cache(Answer):
    """Metadata records in memory, and the share of look-ups answered from there since the start."""

    records: int
    hit_share: float | None


class Figures(Answer):
    """All tasks together.

    `source` is `live` when the task that answers is the only one, and then a second old; with
    several it is `reports`, what all wrote to InfluxDB last.
    """

    time_ms: int
    source: Literal["live", "reports"]
    tasks: int
    state: str
    version: str
    uptime_seconds: float | None
    received_per_s: float | None
    stored_per_s: float | None
    rejected_per_s: float | None
    lag: Lag
    backlog: int | None
    in_flight: int | None
    dead_letters: int | None
    devices: DeviceCounts | None
    steps: list[Step]
    cache: Cache
    dependencies: list[Dependency]
    health: list[Sentence]


class Curves(Answer):
    """Figures over time, each list as long as `times` (epoch seconds); null where nothing is known.

    `problems` say why a curve is missing.
    """

    times: list[int]
    step_seconds: int
    curves: dict[str, list[float | None]]
    problems: list[str]


class IndexState(Answer):
    """What a search has looked at: how many, how old, and whether these were all there are."""

    records: int
    age_seconds: float
    complete: bool


class Latest(Answer):
    """The last reading in one measurement."""

    measurement: str
    time_ms: int
    fields: dict[str, float | int | bool | str]


class Spark(Answer):
    """The last hour of one field, in even steps; null where there was no reading."""

    measurement: str
    field: str
    values: list[float | None]


class Device(Answer):
    """One row of the list. `attributes` are those of the record that its readings name.

    `key` is null where they name none; `sort_key` is null unless the table has a sort key.
    """

    id: str
    key: str | None
    sort_key: str | None
    attributes: dict[str, str]
    last_seen_ms: int
    reporting: bool
    latest: list[Latest]
    sparks: list[Spark]


class DevicePage(Answer):
    """`next` is the cursor of the next page, null on the last; `total` counts all that match."""

    items: list[Device]
    next: str | None
    total: int
    index: IndexState
    problems: list[str]


class FieldInfo(Answer):
    """A field that was stored, with its type in InfluxDB."""

    measurement: str
    field: str
    type: Literal["float", "integer", "string", "boolean", "unsigned"]


class Record(Answer):
    """A metadata record; `attributes` without its key, `tags` what readings get from it.

    `others` names the attributes that are lists, maps or binary: they give no tags, and stay as
    they are. The answer's ETag says which state of the record this is.
    """

    key: str
    sort_key: str | None
    attributes: dict[str, Typed]
    others: list[str]
    tags: dict[str, str]


class DeviceDetail(Answer):
    """One device.

    `last_lines` are its last readings as they are stored, in line protocol. The payload itself is
    not kept anywhere: a message is deleted when it is stored.
    """

    id: str
    key: str | None
    sort_key: str | None
    record: Record | None
    etag: str | None
    last_seen_ms: int
    reporting: bool
    latest: list[Latest]
    fields: list[FieldInfo]
    last_lines: list[str]
    last_payload: None
    last_payload_note: str


class Curve(Answer):
    """One field in even steps: mean, least and most of each."""

    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


class DeviceSeries(Answer):
    """Fields of one measurement over a range; lists as long as `times` (epoch seconds)."""

    measurement: str
    times: list[int]
    step_seconds: int
    fields: dict[str, Curve]


class Row(Answer):
    """One record in a list."""

    key: str
    sort_key: str | None
    attributes: dict[str, str]


class RecordPage(Answer):
    """`next` is the cursor of the next page, null on the last; `total` counts all that match."""

    items: list[Row]
    next: str | None
    total: int
    index: IndexState


class ValueCount(Answer):
    """A value of an attribute, and how many records have it."""

    value: str
    count: int


class AttributeInfo(Answer):
    """An attribute: how many records have it, how many values there are, the most frequent ones."""

    name: str
    records: int
    distinct: int
    values: list[ValueCount]


class Attributes(Answer):
    """What can be filtered by."""

    key_attribute: str
    sort_attribute: str | None
    attributes: list[AttributeInfo]
    index: IndexState


class NewRecord(Request):
    """All attributes of a record except its key and `others`; one that is left out is removed.

    A value is an object with one kind: `S`, `N` (a text too), `BOOL`, `NULL`, `SS` or `NS`. Texts
    become tags: no control characters, no backslash at the end.
    """

    attributes: Annotated[dict[str, Typed], Meta(max_length=100)]


class Effect(Answer):
    """When a change is seen by readings: here at once, in other tasks when their copy expires."""

    here: Literal["at once"]
    other_tasks_within_seconds: float


class Saved(Answer):
    """The record as it is now."""

    record: Record
    created: bool
    effect: Effect


class Keys(Request):
    """Records whose copies in the cache are to be dropped."""

    keys: Annotated[list["KeyOf"], Meta(min_length=1, max_length=1000)]


class KeyOf(Request):
    """The key of one record."""

    key: Annotated[str, Meta(min_length=1, max_length=2048)]
    sort_key: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None


class Refreshed(Answer):
    """How many copies were dropped in the task that answered."""

    dropped: int
    effect: Effect


class Imported(Answer):
    """What an import did, or with `dry_run` would do as far as the table is not asked."""

    dry_run: bool
    rows: int
    created: int
    changed: int
    unchanged: int
    failed: list[FieldProblem]
    effect: Effect


class LetterSummary(Answer):
    """One dead letter in a list."""

    id: str
    arrived_ms: int
    detail: str
    topic: str | None


class LetterGroup(Answer):
    """Dead letters with the same stage and reason."""

    stage: str | None
    reason: str
    count: int
    oldest_ms: int
    newest_ms: int
    hint: str | None
    samples: list[LetterSummary]


class Letters(Answer):
    """`waiting` is the queue's own approximate count; `looked_at` were read for this answer."""

    waiting: int | None
    looked_at: int
    complete: bool
    groups: list[LetterGroup]


class Mark(Answer):
    """A place in a text: `text[start:end]` in UTF-16 code units, and its path."""

    start: int
    end: int
    path: str


class Part(Answer):
    """One part of a line: what it is, its text there, the rule, and where the value came from."""

    what: str
    text: str
    rule: str
    source: str


class Refusal(Answer):
    """Why there are no lines."""

    stage: str
    reason: str
    detail: str
    hint: str | None


class MappingMistake(Answer):
    """One mistake in a mapping."""

    line: int
    key: str
    problem: str
    remedy: str


class Outcome(Answer):
    """What a mapping makes of a payload: lines, or why there are none.

    `parts[i]` explain `lines[i]`. `mark` is where in the payload the refusal points to.
    """

    ok: bool
    route: str | None
    lines: list[str]
    parts: list[list[Part]]
    refusal: Refusal | None
    held_back: str | None
    mark: Mark | None
    mistakes: list[MappingMistake]


class Letter(Answer):
    """One dead letter. `payload` is the message as it was sent, null when it cannot be restored.

    `mark` is the place of the mistake that it was refused for; `now` what the mapping in force
    makes of it with the present metadata.
    """

    id: str
    arrived_ms: int
    stage: str | None
    reason: str
    detail: str
    hint: str | None
    attributes: dict[str, str]
    payload: str | None
    truncated: bool
    not_restorable: str | None
    mark: Mark | None
    now: Outcome | None


class Selection(Request):
    """Which letters: all, or those with this stage and reason, or these."""

    stage: str | None = None
    reason: str | None = None
    ids: Annotated[list[str], Meta(min_length=1, max_length=100)] | None = None


class Counted(Answer):
    """How many are selected; `confirmation` stands for exactly these letters.

    At most 500 are selected at once. `more` says that there are others: then it stands for any 500
    letters of this selection.
    """

    count: int
    more: bool
    confirmation: str


class Confirmed(Request):
    """A selection with the count and confirmation that were answered for it."""

    selection: Selection
    count: int
    confirmation: str


class Done(Answer):
    """What became of the selected letters; `left` are as they were."""

    selected: int
    done: int
    left: int
    notes: list[str]


class RouteInfo(Answer):
    """One route of the mapping, in words."""

    name: str
    topics: list[str]
    where: dict[str, list[str]]
    measurement: str
    tags: dict[str, str]
    fields: dict[str, str]
    metadata: str | None
    missing: str | None
    time: str


class MappingInfo(Answer):
    """The mapping in force: its text, a short name for that text, and its routes."""

    text: str
    version: str
    routes: list[RouteInfo]


class Try(Request):
    """A payload to try; without `mapping` the one in force is tried.

    With a `topic` the payload is what a device published there, without one it is the message in
    the queue. Records come from the table, or from `records` alone where that is given (by key;
    plain JSON values).
    """

    payload: Annotated[str, Meta(max_length=262_144)]
    topic: Annotated[str, Meta(max_length=256)] | None = None
    mapping: Annotated[str, Meta(max_length=131_072)] | None = None
    records: dict[str, dict[str, Any]] | None = None

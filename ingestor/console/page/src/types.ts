/** What `/api/v1` takes and answers: made from openapi.json by types.mjs. */

/**
 * An attribute: how many records have it, how many values there are, the most frequent ones.
 */
export interface AttributeInfo {
  name: string
  records: number
  distinct: number
  values: Array<ValueCount>
}

/**
 * What can be filtered by.
 */
export interface Attributes {
  key_attribute: string
  sort_attribute: string | null
  attributes: Array<AttributeInfo>
  index: IndexState
}

/**
 * How full a buffer is; `limit` is null where there is none of its own.
 */
export interface Buffer {
  name: string
  unit: "batches" | "bytes" | "lines" | "messages"
  used: number
  limit: number | null
}

/**
 * Metadata records in memory, and the share of look-ups answered from there since the start.
 */
export interface Cache {
  records: number
  hit_share: number | null
}

/**
 * A selection with the count and confirmation that were answered for it.
 */
export interface Confirmed {
  selection: Selection
  count: number
  confirmation: string
}

/**
 * How many are selected; `confirmation` stands for exactly these letters.
 *
 * At most 500 are selected at once. `more` says that there are others: then it stands for any 500
 * letters of this selection.
 */
export interface Counted {
  count: number
  more: boolean
  confirmation: string
}

/**
 * One field in even steps: mean, least and most of each.
 */
export interface Curve {
  mean: Array<number | null>
  min: Array<number | null>
  max: Array<number | null>
}

/**
 * Figures over time, each list as long as `times` (epoch seconds); null where nothing is known.
 *
 * `problems` say why a curve is missing.
 */
export interface Curves {
  times: Array<number>
  step_seconds: number
  curves: { [name: string]: Array<number | null> }
  problems: Array<string>
}

/**
 * Whether the last call to it worked, and why not.
 */
export interface Dependency {
  name: "dynamodb" | "influxdb" | "sqs"
  up: boolean
  reason: string | null
}

/**
 * One row of the list. `attributes` are those of the record that its readings name.
 *
 * `key` is null where they name none; `sort_key` is null unless the table has a sort key.
 */
export interface Device {
  id: string
  key: string | null
  sort_key: string | null
  attributes: { [name: string]: string }
  last_seen_ms: number
  reporting: boolean
  latest: Array<Latest>
  sparks: Array<Spark>
}

/**
 * Devices of the last week: those with a reading within the window, and all others.
 */
export interface DeviceCounts {
  known: number
  reporting: number
  silent: number
  window_seconds: number
}

/**
 * One device.
 *
 * `last_lines` are its last readings as they are stored, in line protocol. The payload itself is
 * not kept anywhere: a message is deleted when it is stored.
 */
export interface DeviceDetail {
  id: string
  key: string | null
  sort_key: string | null
  record: Record | null
  etag: string | null
  last_seen_ms: number
  reporting: boolean
  latest: Array<Latest>
  fields: Array<FieldInfo>
  last_lines: Array<string>
  last_payload: null
  last_payload_note: string
}

/**
 * `next` is the cursor of the next page, null on the last; `total` counts all that match.
 */
export interface DevicePage {
  items: Array<Device>
  next: string | null
  total: number
  index: IndexState
  problems: Array<string>
}

/**
 * Fields of one measurement over a range; lists as long as `times` (epoch seconds).
 */
export interface DeviceSeries {
  measurement: string
  times: Array<number>
  step_seconds: number
  fields: { [name: string]: Curve }
}

/**
 * What became of the selected letters; `left` are as they were.
 */
export interface Done {
  selected: number
  done: number
  left: number
  notes: Array<string>
}

/**
 * When a change is seen by readings: here at once, in other tasks when their copy expires.
 *
 * When a worker of this task did not answer in time, it sees the change as other tasks do.
 */
export interface Effect {
  here: "at once" | "when copies expire"
  other_tasks_within_seconds: number
}

/**
 * A field that was stored, with its type in InfluxDB.
 */
export interface FieldInfo {
  measurement: string
  field: string
  type: "boolean" | "float" | "integer" | "string" | "unsigned"
}

/**
 * One mistake in what was sent: where (a JSON pointer, or `line 3`), and what.
 */
export interface FieldProblem {
  where: string
  detail: string
}

/**
 * All tasks together.
 *
 * `source` is `live` when the task that answers is the only one, and then a second old; with
 * several it is `reports`, what all wrote to InfluxDB last.
 */
export interface Figures {
  time_ms: number
  source: "live" | "reports"
  tasks: number
  state: string
  version: string
  uptime_seconds: number | null
  received_per_s: number | null
  stored_per_s: number | null
  rejected_per_s: number | null
  lag: Lag
  backlog: number | null
  in_flight: number | null
  dead_letters: number | null
  devices: DeviceCounts | null
  steps: Array<Step>
  cache: Cache
  dependencies: Array<Dependency>
  health: Array<Sentence>
}

/**
 * What an import did, or with `dry_run` would do as far as the table is not asked.
 */
export interface Imported {
  dry_run: boolean
  rows: number
  created: number
  changed: number
  unchanged: number
  failed: Array<FieldProblem>
  effect: Effect
}

/**
 * What a search has looked at: how many, how old, and whether these were all there are.
 */
export interface IndexState {
  records: number
  age_seconds: number
  complete: boolean
}

/**
 * The key of one record.
 */
export interface KeyOf {
  key: string
  sort_key?: string | null
}

/**
 * Records whose copies in the cache are to be dropped.
 */
export interface Keys {
  keys: Array<KeyOf>
}

/**
 * Milliseconds from a message's entry into the queue until it was stored.
 */
export interface Lag {
  p50_ms: number | null
  p95_ms: number | null
  p99_ms: number | null
}

/**
 * The last reading in one measurement.
 */
export interface Latest {
  measurement: string
  time_ms: number
  fields: { [name: string]: number | boolean | string }
}

/**
 * One dead letter. `payload` is the message as it was sent, null when it cannot be restored.
 *
 * `mark` is the place of the mistake that it was refused for; `now` what the mapping in force
 * makes of it with the present metadata.
 */
export interface Letter {
  id: string
  arrived_ms: number
  stage: string | null
  reason: string
  detail: string
  hint: string | null
  attributes: { [name: string]: string }
  payload: string | null
  truncated: boolean
  not_restorable: string | null
  mark: Mark | null
  now: Outcome | null
}

/**
 * Dead letters with the same stage and reason.
 */
export interface LetterGroup {
  stage: string | null
  reason: string
  count: number
  oldest_ms: number
  newest_ms: number
  hint: string | null
  samples: Array<LetterSummary>
}

/**
 * One dead letter in a list.
 */
export interface LetterSummary {
  id: string
  arrived_ms: number
  detail: string
  topic: string | null
}

/**
 * `waiting` is the queue's own approximate count; `looked_at` were read for this answer.
 */
export interface Letters {
  waiting: number | null
  looked_at: number
  complete: boolean
  groups: Array<LetterGroup>
}

/**
 * The way into another application.
 */
export interface Link {
  name: "chronograf" | "grafana"
  url: string
}

/**
 * The mapping in force: its text, a short name for that text, and its routes.
 */
export interface MappingInfo {
  text: string
  version: string
  routes: Array<RouteInfo>
}

/**
 * One mistake in a mapping.
 */
export interface MappingMistake {
  line: number
  key: string
  problem: string
  remedy: string
}

/**
 * A place in a text: `text[start:end]` in UTF-16 code units, and its path.
 */
export interface Mark {
  start: number
  end: number
  path: string
}

/**
 * All attributes of a record except its key and `others`; one that is left out is removed.
 *
 * A value is an object with one kind: `S`, `N` (a text too), `BOOL`, `NULL`, `SS` or `NS`. Texts
 * become tags: no control characters, no backslash at the end.
 */
export interface NewRecord {
  attributes: { [name: string]: { [name: string]: unknown } }
}

/**
 * What a mapping makes of a payload: lines, or why there are none.
 *
 * `parts[i]` explain `lines[i]`. `mark` is where in the payload the refusal points to.
 */
export interface Outcome {
  ok: boolean
  route: string | null
  lines: Array<string>
  parts: Array<Array<Part>>
  refusal: Refusal | null
  held_back: string | null
  mark: Mark | null
  mistakes: Array<MappingMistake>
}

/**
 * One part of a line: what it is, its text there, the rule, and where the value came from.
 */
export interface Part {
  what: string
  text: string
  rule: string
  source: string
}

/**
 * RFC 9457. `type` is `about:blank` or `urn:ingestor:<what>`.
 */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  errors?: Array<FieldProblem>
  count?: number
  confirmation?: string
}

/**
 * A metadata record; `attributes` without its key, `tags` what readings get from it.
 *
 * `others` names the attributes that are lists, maps or binary: they give no tags, and stay as
 * they are. The answer's ETag says which state of the record this is.
 */
export interface Record {
  key: string
  sort_key: string | null
  attributes: { [name: string]: { [name: string]: unknown } }
  others: Array<string>
  tags: { [name: string]: string }
}

/**
 * `next` is the cursor of the next page, null on the last; `total` counts all that match.
 */
export interface RecordPage {
  items: Array<Row>
  next: string | null
  total: number
  index: IndexState
}

/**
 * How many copies were dropped in the task that answered.
 */
export interface Refreshed {
  dropped: number
  effect: Effect
}

/**
 * Why there are no lines.
 */
export interface Refusal {
  stage: string
  reason: string
  detail: string
  hint: string | null
}

/**
 * One route of the mapping, in words.
 */
export interface RouteInfo {
  name: string
  topics: Array<string>
  where: { [name: string]: Array<string> }
  measurement: string
  tags: { [name: string]: string }
  fields: { [name: string]: string }
  metadata: string | null
  missing: string | null
  time: string
}

/**
 * One record in a list.
 */
export interface Row {
  key: string
  sort_key: string | null
  attributes: { [name: string]: string }
}

/**
 * The record as it is now.
 */
export interface Saved {
  record: Record
  created: boolean
  effect: Effect
}

/**
 * Which letters: all, or those with this stage and reason, or these.
 */
export interface Selection {
  stage?: string | null
  reason?: string | null
  ids?: Array<string> | null
}

/**
 * Health in words.
 */
export interface Sentence {
  level: "ok" | "problem" | "warning"
  text: string
}

/**
 * Who asks, and what they may do. Locally nobody signs in, and everything is allowed.
 */
export interface Session {
  mode: "cognito" | "local"
  user: string | null
  role: "operator" | "viewer"
  permissions: Array<"letters:purge" | "letters:replay" | "metadata:write" | "read">
  links: Array<Link>
  version: string
  task: string
  expires_ms: number | null
}

/**
 * The last hour of one field, in even steps; null where there was no reading.
 */
export interface Spark {
  measurement: string
  field: string
  values: Array<number | null>
}

/**
 * One step of a message's way; `waiting` is why it does not go on, if it does not.
 */
export interface Step {
  name: "batch" | "decode" | "enrich" | "queue" | "receive" | "settle" | "write"
  per_s: number | null
  unit: string
  buffers: Array<Buffer>
  waiting: string | null
}

/**
 * A payload to try; without `mapping` the one in force is tried.
 *
 * With a `topic` the payload is what a device published there, without one it is the message in
 * the queue. Records come from the table, or from `records` alone where that is given (by key;
 * plain JSON values).
 */
export interface Try {
  payload: string
  topic?: string | null
  mapping?: string | null
  records?: { [name: string]: { [name: string]: unknown } } | null
}

/**
 * A value of an attribute, and how many records have it.
 */
export interface ValueCount {
  value: string
  count: number
}

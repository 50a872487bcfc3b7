"""Devices."""

from typing import Literal

from ingestor.console.model.base import Answer, IndexState
from ingestor.console.model.metadata import Record


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

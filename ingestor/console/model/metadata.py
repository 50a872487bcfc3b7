"""Metadata records."""

from typing import Annotated, Any

from msgspec import Meta

from ingestor.console.model.base import Answer, Effect, FieldProblem, IndexState, Request

Typed = dict[str, Any]
"""A value in DynamoDB's typed form: `{"S": "text"}`, `{"N": "1.5"}`, `{"BOOL": true}`, ..."""


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


class Saved(Answer):
    """The record as it is now."""

    record: Record
    created: bool
    effect: Effect


class KeyOf(Request):
    """The key of one record."""

    key: Annotated[str, Meta(min_length=1, max_length=2048)]
    sort_key: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None


class Keys(Request):
    """Records whose copies in the cache are to be dropped."""

    keys: Annotated[list[KeyOf], Meta(min_length=1, max_length=1000)]


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

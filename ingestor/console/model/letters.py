"""Dead letters."""

from typing import Annotated

from msgspec import Meta

from ingestor.console.model.base import Answer, Request
from ingestor.console.model.mapping import Mark, Outcome


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

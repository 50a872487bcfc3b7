"""What all answers and requests share."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


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


class Effect(Answer):
    """When a change is seen by readings: here at once, in other tasks when their copy expires.

    When a worker of this task did not answer in time, it sees the change as other tasks do.
    """

    here: Literal["at once", "when copies expire"]
    other_tasks_within_seconds: float


class IndexState(Answer):
    """What a search has looked at: how many, how old, and whether these were all there are."""

    records: int
    age_seconds: float
    complete: bool

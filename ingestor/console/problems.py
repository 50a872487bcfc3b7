"""What goes wrong, as RFC 9457 says it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web

from ingestor.console.model import FieldProblem, Problem

TYPE = "application/problem+json"


class Refuse(Exception):
    """The answer is a problem. `detail` is a sentence for a person, without secrets."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "about:blank",
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        count: int | None = None,
        confirmation: str | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.count = count
        self.confirmation = confirmation


def unusable(where: str, detail: str) -> Refuse:
    """One mistake in what was sent."""
    return Refuse(422, f"{where}: {detail}", errors=[FieldProblem(where=where, detail=detail)])


def response(refusal: Refuse) -> web.Response:
    """The answer."""
    unset = msgspec.UNSET
    problem = Problem(
        type=refusal.kind,
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=refusal.detail,
        errors=refusal.errors or unset,
        count=unset if refusal.count is None else refusal.count,
        confirmation=unset if refusal.confirmation is None else refusal.confirmation,
    )
    return web.Response(
        body=msgspec.json.encode(problem),
        status=refusal.status,
        content_type=TYPE,
        headers=refusal.headers,
    )

"""A stand-in for an AWS endpoint: a real server that answers as the test has said."""

import json
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-key-id",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(slots=True, frozen=True)
class Answer:
    """One HTTP answer; `body` is sent as JSON, or as it is when it is text."""

    body: Mapping[str, Any] | str = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drops: bool = False
    """Closes the connection instead."""


def refusal(code: str, *, message: str = "no", status: int = 400, **headers: str) -> Answer:
    """An error as AWS words it. Header names are given with underscores."""
    return Answer(
        {"__type": f"com.amazonaws#{code}", "message": message},
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


class CannedAws:
    """Answers by operation: the next of `answers[operation]`, else `always[operation]`.

    `requests[operation]` are the bodies that were sent.
    """

    def __init__(self) -> None:
        self.answers: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self.always: dict[str, Answer] = {}
        self.requests: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.url = ""
        app = web.Application(client_max_size=4 * 1024**2)
        app.router.add_post("/", self._answer)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def choose(self, operation: str, request: dict[str, Any]) -> Answer:  # noqa: ARG002 - for heirs
        """What to answer to a request."""
        waiting = self.answers[operation]
        return waiting.popleft() if waiting else self.always[operation]

    async def _answer(self, request: web.Request) -> web.Response:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        sent = json.loads(await request.read())
        self.requests[operation].append(sent)
        answer = self.choose(operation, sent)
        if answer.drops and request.transport is not None:
            request.transport.abort()
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return web.Response(
            status=answer.status,
            text=body,
            content_type="application/x-amz-json-1.0",
            headers=dict(answer.headers),
        )

"""What can go wrong with the content of an answer of SQS, DynamoDB or InfluxDB."""

import json
from dataclasses import dataclass, replace
from typing import Any

from loadtest.proxy.faults import Exchange
from loadtest.proxy.http import Reply, Request

_JSON = {"content-type": "application/x-amz-json-1.0"}


@dataclass(slots=True, frozen=True)
class FailedEntries:
    """Every `each`-th entry of a batch call of SQS is not done, and the answer says so."""

    each: int = 3
    code: str = "InternalError"
    sender_fault: bool = False
    name: str = "failed-entries"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        asked = json.loads(exchange.request.body)
        entries = asked.get("Entries", [])
        failed = entries[:: self.each]
        asked["Entries"] = [entry for entry in entries if entry not in failed]
        answer: dict[str, Any] = {}
        reply = Reply(200, _JSON)
        if asked["Entries"]:
            reply = await exchange.ask(_with_content(exchange.request, asked))
            if reply.status != 200:  # noqa: PLR2004 - anything else is an error already
                await exchange.answer(reply)
                return
            answer = json.loads(reply.body)
        answer["Failed"] = answer.get("Failed", []) + [
            {"Id": entry["Id"], "Code": self.code, "SenderFault": self.sender_fault}
            for entry in failed
        ]
        await exchange.answer(reply.with_body(json.dumps(answer).encode()))


@dataclass(slots=True, frozen=True)
class FakeSuccess:
    """A batch call of SQS is not done at all, and its answer says that every entry succeeded.

    This is what a delete with an outdated receipt looks like.
    """

    name: str = "fake-success"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        entries = json.loads(exchange.request.body).get("Entries", [])
        answer = {"Successful": [{"Id": entry["Id"]} for entry in entries]}
        await exchange.answer(Reply(200, _JSON, json.dumps(answer).encode()))


@dataclass(slots=True, frozen=True)
class Duplicates:
    """Every message of a receive comes twice in one answer, with the same id."""

    name: str = "duplicates"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        reply = await exchange.ask()
        answer = json.loads(reply.body)
        answer["Messages"] = [each for each in answer.get("Messages", []) for _ in range(2)]
        await exchange.answer(reply.with_body(json.dumps(answer).encode()))


@dataclass(slots=True, frozen=True)
class NothingReceived:
    """A receive that is not passed on and brings nothing, as at the cap of messages in flight."""

    name: str = "nothing-received"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        await exchange.answer(Reply(200, _JSON, b"{}"))


@dataclass(slots=True, frozen=True)
class UnprocessedKeys:
    """A BatchGetItem leaves every `each`-th key unprocessed; 1 leaves all of them.

    Of the keys with the value `only` alone, where that is given.
    """

    each: int = 3
    only: str | None = None

    @property
    def name(self) -> str:
        """See Fault."""
        return "all-keys-unprocessed" if self.each == 1 else "unprocessed-keys"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        asked = json.loads(exchange.request.body)
        left = {}
        for table, request in asked["RequestItems"].items():
            keys = request["Keys"]
            chosen = [key for key in keys if self.only is None or {"S": self.only} in key.values()]
            unprocessed = chosen[:: self.each]
            request["Keys"] = [key for key in keys if key not in unprocessed]
            if unprocessed:
                left[table] = request | {"Keys": unprocessed}
        answer: dict[str, Any] = {"Responses": {}}
        reply = Reply(200, _JSON)
        if any(request["Keys"] for request in asked["RequestItems"].values()):
            reply = await exchange.ask(_with_content(exchange.request, asked))
            answer = json.loads(reply.body)
        answer["UnprocessedKeys"] = left
        await exchange.answer(reply.with_body(json.dumps(answer).encode()))


@dataclass(slots=True, frozen=True)
class CountsAsStored:
    """A write to InfluxDB is not passed on, and answered with a success that is none."""

    status: int = 200

    @property
    def name(self) -> str:
        """See Fault."""
        return f"status-{self.status}"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        await exchange.answer(Reply(self.status, {"content-type": "text/plain"}, b"thank you"))


def _with_content(request: Request, content: object) -> Request:
    return replace(request, body=json.dumps(content).encode())

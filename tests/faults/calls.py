"""What a service asks of SQS, and what it was told, as a proxy before the site's own sees it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from faults.conftest import Ground

from loadtest.chaos.site import PatientService
from loadtest.proxy import FaultProxy, Reply, Request, aws_operation
from loadtest.proxy.faults import Exchange


@dataclass
class Calls:
    """Receipts as they were handed out, and every entry of a batch call by its receipt.

    `needless` counts deletes of what was deleted with the same receipt before.
    """

    newest: dict[str, str] = field(default_factory=dict)
    handed_out: Counter[str] = field(default_factory=Counter)
    deletes: Counter[str] = field(default_factory=Counter)
    deleted: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    extended: set[str] = field(default_factory=set)
    receives: int = 0
    needless: int = 0

    def told(self, request: Request, reply: Reply) -> None:
        """The service has got a whole reply."""
        operation = aws_operation(request)
        if operation == "ReceiveMessage":
            self.receives += 1
        if reply.status != 200:
            return
        answer: dict[str, Any] = json.loads(reply.body)
        if operation == "ReceiveMessage":
            for each in answer.get("Messages", ()):
                self.newest[each["MessageId"]] = each["ReceiptHandle"]
                self.handed_out[each["ReceiptHandle"]] += 1
        elif operation in {"DeleteMessageBatch", "ChangeMessageVisibilityBatch"}:
            receipts = {
                each["Id"]: each["ReceiptHandle"] for each in json.loads(request.body)["Entries"]
            }
            failed = [receipts[each["Id"]] for each in answer.get("Failed", ())]
            worked = set(receipts.values()) - set(failed)
            if operation == "DeleteMessageBatch":
                self.needless += len(self.deleted & set(receipts.values()))
                self.deletes.update(receipts.values())
                self.failed.update(failed)
                self.deleted |= worked
            else:
                self.extended |= worked


@asynccontextmanager
async def observed(ground: Ground, **variables: str) -> AsyncIterator[tuple[PatientService, Calls]]:
    """A service, and the calls that it makes."""
    calls = Calls()
    async with FaultProxy(lambda: ground.sqs.url, aws_operation, calls.told) as proxy:
        environment = ground.environment(**variables) | {"AWS_ENDPOINT_URL_SQS": proxy.url}
        async with PatientService(environment) as service:
            yield service, calls


@dataclass
class Held:
    """A fault: the right reply, as soon as `let_go` is set. The request waits as well."""

    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "held"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        await self.let_go.wait()
        await exchange.answer(await exchange.ask())

"""Row 51: the role's keys end, nobody hands out new ones for a while, and the clock is wrong."""

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Self

import pytest
from aiohttp import web
from faults.conftest import Ground
from service.conftest import reading

from loadtest.chaos.site import PatientService
from loadtest.proxy import Reply
from loadtest.proxy.faults import Exchange

pytestmark = [
    pytest.mark.servers,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

LIFE_SECONDS = 14
"""Of the keys. Nothing is signed with keys that end within ten seconds."""
ACCEPTED_SECONDS = 300
"""How far off SQS lets a clock be."""
MANY = 5_000


@dataclass
class Role:
    """Where a container on ECS gets its role's keys; `ends` is by their ids, in epoch seconds."""

    down: bool = False
    ends: dict[str, float] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/role", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/role"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        key, end = f"role-{len(self.ends)}", int(time.time()) + LIFE_SECONDS
        self.ends[key] = end
        return web.json_response(
            {
                "AccessKeyId": key,
                "SecretAccessKey": "secret",
                "Token": "token",
                "Expiration": f"{datetime.fromtimestamp(end, UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
        )


@dataclass
class Strict:
    """AWS as it is: refuses keys that have ended, and signatures from another time than its own.

    `ahead_seconds` is how far its clock is ahead of ours; `refused` counts.
    """

    role: Role
    ahead_seconds: float = 0.0
    refused: int = 0
    name: str = "strict"

    async def apply(self, exchange: Exchange) -> None:
        """See Fault."""
        headers = exchange.request.headers
        [key] = re.findall("Credential=([^/]+)/", headers["authorization"])
        signed = datetime.strptime(headers["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        now = time.time() + self.ahead_seconds
        if time.time() > self.role.ends[key]:
            code = "ExpiredTokenException"
        elif abs(now - signed) > ACCEPTED_SECONDS:
            code = "InvalidSignatureException"
        else:
            await exchange.answer(await exchange.ask())
            return
        self.refused += 1
        date = {"date": formatdate(now, usegmt=True), "content-type": "application/x-amz-json-1.0"}
        body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "no"})
        await exchange.answer(Reply(403, date, body.encode()))


@pytest.mark.parametrize("client", ["lean", "aioboto3"])
async def test_f51_role_and_clock(ground: Ground, client: str) -> None:
    """Keys are renewed before they end, a missing role or a wrong clock is waited for."""
    environment = ground.environment(SQS_CLIENT=client)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[name]
    async with Role() as role:
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = role.url
        sqs, dynamodb = Strict(role), Strict(role)
        ground.sqs.arm(sqs, times=MANY)
        ground.site.proxies["dynamodb"].arm(dynamodb, times=MANY)
        async with PatientService(environment) as service:
            await ground.send(*(reading(n) for n in range(20)))
            await ground.until_stored(20)
            first = len(role.ends)
            await ground.until(lambda: len(role.ends) > first)

            role.down = True
            # aioboto3 can also run out of time while it asks for keys.
            await ground.until_not_ready(service, "credentials" if client == "lean" else "sqs: ")
            await ground.send(*(reading(n) for n in range(20, 40)))
            role.down = False
            await ground.until_stored(40)
            assert (sqs.refused, dynamodb.refused) == (0, 0)

            sqs.ahead_seconds = 3600
            await ground.send(*(reading(n) for n in range(40, 60)))
            await ground.until(lambda: sqs.refused)
            if client == "aioboto3":  # which does not correct its clock
                await ground.until_not_ready(service, "does not accept our credentials")
                sqs.ahead_seconds = 0
            await ground.until_stored(60)
            await ground.until_empty()
            await service.finish()

    assert await ground.sequences() == list(range(60))
    assert await ground.stack.take_dead_letters() == []

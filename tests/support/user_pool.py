"""A user pool: its keys over HTTP on the loopback interface, and tokens as Cognito makes them."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "the-client"
OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHERS = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Pool:
    """A user pool's key server; tests change what it publishes."""

    def __init__(self) -> None:
        self.keys = {"k1": OURS}
        self.asked = 0
        self.status = 200
        self.body: str | None = None
        self.issuer = ""

    async def answer(self, _: web.Request) -> web.Response:
        """The document of keys."""
        self.asked += 1
        keys = []
        for kid, key in self.keys.items():
            published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            keys.append({**published, "kid": kid, "use": "sig", "alg": "RS256"})
        text = self.body if self.body is not None else json.dumps({"keys": keys})
        return web.Response(text=text, status=self.status, content_type="application/json")

    def token(self, *, key: Any = OURS, kid: str | None = "k1", **changes: Any) -> str:
        """An access token as Cognito makes it, with changes; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "sub": "u-1",
            "iss": self.issuer,
            "client_id": CLIENT,
            "token_use": "access",
            "cognito:groups": ["viewers"],
            "username": "ann",
            "iat": now - 5,
            "exp": now + 600,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(claims, key, algorithm="RS256", headers=headers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Pool"]:
        """Its key server; `issuer` is valid from then on."""
        app = web.Application()
        app.add_routes([web.get("/pool/.well-known/jwks.json", self.answer)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}/pool"
        try:
            yield self
        finally:
            await runner.cleanup()

"""Access tokens against the keys that a user pool publishes over HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ingestor.adapters.cognito import ASK_AGAIN_SECONDS, KEYS_SECONDS, CognitoVerifier, open_cognito
from ingestor.adapters.memory import FakeClock
from ingestor.console_ports import NotSignedIn
from ingestor.ports import Unavailable

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
async def running(pool: Pool, clock: FakeClock) -> AsyncIterator[CognitoVerifier]:
    """A verifier for a pool whose key server runs."""
    app = web.Application()
    app.add_routes([web.get("/pool/.well-known/jwks.json", pool.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pool.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}/pool"
    try:
        async with open_cognito(issuer=pool.issuer, client=CLIENT, clock=clock) as verifier:
            yield verifier
    finally:
        await runner.cleanup()


async def test_a_good_token() -> None:
    """Its claims are told; keys are fetched once for many tokens."""
    pool = Pool()
    async with running(pool, FakeClock()) as verifier:
        for _ in range(3):
            claims = await verifier.claims(pool.token())
    assert (claims["username"], claims["cognito:groups"]) == ("ann", ["viewers"])
    assert pool.asked == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"key": OTHERS},
        {"kid": "unknown"},
        {"kid": None},
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/other"},
        {"iss": None},
        {"client_id": "another"},
        {"client_id": None},
        {"client_id": None, "aud": CLIENT},
        {"token_use": "id"},
        {"token_use": None},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"exp": "soon"},
        {"iat": int(time.time()) + 600},
        {"nbf": int(time.time()) + 600},
        {"sub": None},
    ],
    ids=str,
)
async def test_tokens_that_are_refused(changes: dict[str, Any]) -> None:
    """Another key, issuer, client or use; expired, or without a time."""
    pool = Pool()
    async with running(pool, FakeClock()) as verifier:
        with pytest.raises(NotSignedIn) as refused:
            await verifier.claims(pool.token(**changes))
        assert "ann" not in str(refused.value)
        assert await verifier.claims(pool.token())


async def test_a_little_leeway() -> None:
    """Clocks differ: ten seconds after its expiry a token is still taken."""
    pool = Pool()
    async with running(pool, FakeClock()) as verifier:
        assert await verifier.claims(pool.token(exp=int(time.time()) - 10))


def part(content: dict[str, Any]) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


async def test_no_signature_and_a_signature_with_the_public_key() -> None:
    """`alg: none`, and HS256 whose secret is the key that everybody can fetch."""
    pool = Pool()
    async with running(pool, FakeClock()) as verifier:
        claims = jwt.decode(pool.token(), options={"verify_signature": False})
        public = OURS.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        head = part({"alg": "HS256", "kid": "k1"})
        signed = f"{head}.{part(claims)}".encode()
        mac = base64.urlsafe_b64encode(hmac.new(public, signed, hashlib.sha256).digest())
        forged = [
            f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}.",
            f"{part({'alg': 'None', 'kid': 'k1'})}.{part(claims)}.",
            f"{signed.decode()}.{mac.rstrip(b'=').decode()}",
            f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part(claims)}.",
            f"{part({'alg': 'RS256', 'kid': ['k1']})}.{part(claims)}.AA",
            pool.token()[:-4] + "AAAA",
            "no token",
            "a.b.c",
            "",
        ]
        for token in forged:
            with pytest.raises(NotSignedIn):
                await verifier.claims(token)


async def test_new_keys_are_learned_and_not_asked_for_too_often() -> None:
    """A rotated key is known after a while; tokens with made-up key names cause no storm."""
    pool = Pool()
    clock = FakeClock()
    async with running(pool, clock) as verifier:
        await verifier.claims(pool.token())
        pool.keys = {"k2": OTHERS}
        for _ in range(10):
            with pytest.raises(NotSignedIn):
                await verifier.claims(pool.token(key=OTHERS, kid="k2"))
        assert pool.asked == 1
        await clock.advance(ASK_AGAIN_SECONDS + 1)
        assert await verifier.claims(pool.token(key=OTHERS, kid="k2"))
        with pytest.raises(NotSignedIn):
            await verifier.claims(pool.token())
        assert pool.asked == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, None),
        (200, "<html>"),
        (200, "{}"),
        (302, None),
        (200, '{"keys": [{"kty": "RSA", "kid": "k1"}]}'),
    ],
)
async def test_a_pool_that_does_not_answer(status: int, body: str | None) -> None:
    """Without keys nobody can be judged; with old ones the known are."""
    pool = Pool()
    pool.status, pool.body = status, body
    clock = FakeClock()
    async with running(pool, clock) as verifier:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await verifier.claims(pool.token())
        assert pool.asked == 1
        pool.status, pool.body = 200, None
        await clock.advance(ASK_AGAIN_SECONDS + 1)
        assert await verifier.claims(pool.token())
        pool.status, pool.body = status, body
        await clock.advance(KEYS_SECONDS + 1)
        assert await verifier.claims(pool.token())
        with pytest.raises(NotSignedIn):
            await verifier.claims(pool.token(kid="unknown"))


async def test_nobody_there() -> None:
    """A pool that cannot be reached is `Unavailable`."""
    issuer = "http://127.0.0.1:9"
    pool = Pool()
    pool.issuer = issuer
    async with open_cognito(issuer=issuer, client=CLIENT, clock=FakeClock()) as verifier:
        with pytest.raises(Unavailable):
            await verifier.claims(pool.token())

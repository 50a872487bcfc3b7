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
from cryptography.hazmat.primitives import serialization
from support.user_pool import CLIENT, OTHERS, OURS, Pool

from ingestor.adapters.cognito import ASK_AGAIN_SECONDS, KEYS_SECONDS, CognitoVerifier, open_cognito
from ingestor.adapters.memory import FakeClock
from ingestor.console_ports import NotSignedIn
from ingestor.ports import Unavailable


@asynccontextmanager
async def running(pool: Pool, clock: FakeClock) -> AsyncIterator[CognitoVerifier]:
    """A verifier for a pool whose key server runs."""
    async with (
        pool.running(),
        open_cognito(issuer=pool.issuer, client=CLIENT, clock=clock) as verifier,
    ):
        yield verifier


async def test_a_good_token() -> None:
    """Its claims are told; keys are fetched once for many tokens."""
    pool = Pool()
    async with running(pool, FakeClock()) as verifier:
        claims = [await verifier.claims(pool.token()) for _ in range(3)]
    assert [(each["username"], each["cognito:groups"]) for each in claims] == [
        ("ann", ["viewers"])
    ] * 3
    assert pool.asked == 1


DAY = 86_400
"""More than the time from the collection of the tests to their run."""


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
        {"iat": int(time.time()) + DAY},
        {"nbf": int(time.time()) + DAY},
        {"sub": None},
    ],
    ids="+".join,
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

"""The `TokenVerifier` port over a Cognito user pool: access tokens, and the keys it publishes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
import msgspec

from ingestor.console_ports import NotSignedIn
from ingestor.ports import Clock, Unavailable

ALGORITHM = "RS256"
LEEWAY_SECONDS = 30
"""Clocks of two machines differ."""
KEYS_SECONDS = 3_600.0
"""How long keys are taken for what they were."""
ASK_AGAIN_SECONDS = 30.0
"""Keys are not asked for more often, whatever tokens name."""
FETCH_SECONDS = 5.0
MOST_BYTES = 64 * 1024
MOST_KEYS = 20


@asynccontextmanager
async def open_cognito(
    *, issuer: str, client: str, clock: Clock
) -> AsyncIterator["CognitoVerifier"]:
    """A verifier for one user pool and one of its app clients."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=2, ssl=ssl.create_default_context()),
        timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield CognitoVerifier(session, issuer=issuer, client=client, clock=clock)


class CognitoVerifier:
    """Made by `open_cognito`. Keys are fetched when the first token comes."""

    def __init__(
        self, session: aiohttp.ClientSession, *, issuer: str, client: str, clock: Clock
    ) -> None:
        self._session = session
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def claims(self, token: str) -> Mapping[str, Any]:
        """See TokenVerifier. Raises `Unavailable` when there are no keys to check it with."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as exc:
            raise NotSignedIn("the token is none") from exc
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            raise NotSignedIn("the token is not signed as it must be")
        key = await self._key(kid)
        if key is None:
            raise NotSignedIn("the token is signed by somebody else")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                # An access token of Cognito names the client instead of an audience.
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as exc:
            raise NotSignedIn("the token has expired") from exc
        except jwt.PyJWTError as exc:
            raise NotSignedIn("the token is not genuine, or not for this console") from exc
        if claims.get("token_use") != "access" or claims.get("client_id") != self._client:
            raise NotSignedIn("the token is not for this console")
        return claims

    async def _key(self, kid: str) -> jwt.PyJWK | None:
        """The key of this name, asked for again when it is not known or the keys are old."""
        async with self._fetching:  # one look-up for all who wait for it
            now = self._clock.monotonic()
            due = kid not in self._keys or now - self._fetched_at > KEYS_SECONDS
            if due and now - self._asked_at > ASK_AGAIN_SECONDS:
                self._asked_at = now
                try:
                    self._keys = await self._fetch()
                    self._fetched_at = now
                except Unavailable:
                    if kid not in self._keys:
                        raise
            elif not self._keys:
                raise Unavailable("The keys of the user pool are not known yet.")
        return self._keys.get(kid)

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        address = f"{self._issuer}/.well-known/jwks.json"
        try:
            async with self._session.get(address, allow_redirects=False) as response:
                body = b""
                while len(body) < MOST_BYTES and (chunk := await response.content.readany()):
                    body += chunk
                if response.status != 200:  # noqa: PLR2004 - a status
                    raise Unavailable(f"The user pool answers with status {response.status}.")
            found = msgspec.json.decode(body, type=dict[str, list[dict[str, Any]]])["keys"]
            return {
                str(each["kid"]): jwt.PyJWK(each, ALGORITHM)
                for each in found[:MOST_KEYS]
                if each.get("kty") == "RSA" and each.get("use", "sig") == "sig"
            }
        except (TimeoutError, aiohttp.ClientError, OSError) as exc:
            raise Unavailable("The user pool cannot be reached for its keys.") from exc
        except (ValueError, KeyError, jwt.PyJWTError) as exc:
            raise Unavailable("The user pool's keys cannot be read.") from exc

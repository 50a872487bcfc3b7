"""Signing in as in AWS: code flow with PKCE, tokens in memory, roles; Cognito is a stand-in."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Self
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, expect
from support.browser import Visit, visiting

from loadtest.console import DIST

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]
CLIENT = "console-client"
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; connect-src 'self'; require-trusted-types-for 'script'"
)
"""What CloudFront sends, with the stand-in at the page's own address."""


class Cognito:
    """The hosted page, its tokens, and a server that takes them; `base` is where it is.

    Codes are good once, for the verifier whose hash was announced. `role` is whose tokens they are.
    """

    def __init__(self) -> None:
        self.base = ""
        self.role = "viewer"
        self.grants: list[str] = []
        self.state_to_answer: str | None = None
        self._challenge = ""
        self._bearer = ""
        app = web.Application()
        app.router.add_get("/config.json", self._config)
        app.router.add_get("/oauth2/authorize", self._authorize)
        app.router.add_post("/oauth2/token", self._token)
        app.router.add_get("/api/v1/{what:.*}", self._api)
        app.router.add_get("/{name:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def refuse_tokens(self) -> None:
        """From now on the token that was given is none."""
        self._bearer = ""

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": "x", "client": CLIENT, "signIn": self.base})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] == f"{self.base}/"
        assert asked["code_challenge_method"] == "S256"
        self._challenge = asked["code_challenge"]
        state = self.state_to_answer or asked["state"]
        raise web.HTTPFound(f"/?{urlencode({'code': 'once', 'state': state})}")

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.grants.append(str(form["grant_type"]))
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self._challenge
        self._bearer = "in-memory-alone"
        return web.json_response(
            {"access_token": self._bearer, "refresh_token": "r", "expires_in": 3600}
        )

    async def _api(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self._bearer}":
            return web.json_response({"title": "Sign in", "status": 401}, status=401)
        match request.match_info["what"]:
            case "session":
                writes = ["metadata:write"] if self.role == "operator" else []
                return web.json_response(
                    {
                        "mode": "cognito",
                        "user": "eva@example.com",
                        "role": self.role,
                        "permissions": ["read", *writes],
                        "links": [],
                        "version": "1",
                        "task": "t",
                        "expires_ms": None,
                    }
                )
            case "metadata":
                index = {"records": 0, "age_seconds": 1, "complete": True}
                return web.json_response({"items": [], "next": None, "total": 0, "index": index})
            case _:
                return web.json_response({"title": "Busy", "status": 503}, status=503)

    async def _file(self, request: web.Request) -> web.Response:
        file = DIST / (request.match_info["name"] or "index.html")
        types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        return web.Response(
            body=file.read_bytes(),
            content_type=types.get(file.suffix, "text/html"),
            headers={"Content-Security-Policy": CSP},
        )


@pytest_asyncio.fixture(loop_scope="session")
async def cognito() -> AsyncIterator[Cognito]:
    """A stand-in for Cognito and for the server behind it."""
    async with Cognito() as server:
        yield server


async def sign_in(console: Visit) -> None:
    """Open the metadata and go through the door."""
    console.expected = ("Failed to load resource: the server responded with a status of",)
    await console.page.goto(f"{console.base}/#/metadata")
    await console.page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_signed_in(browser: Browser, cognito: Cognito, role: str) -> None:
    """Who comes back is where they were, sees who they are, and is offered what they may do."""
    cognito.role = role
    async with visiting(browser, cognito.base) as console:
        await sign_in(console)
        await expect(console.page.locator("main h1")).to_have_text("Metadata")
        await expect(console.page.locator(".account")).to_contain_text(f"eva@example.com ({role})")
        offered = console.page.get_by_role("button", name="Add a record")
        await expect(offered).to_have_count(1 if role == "operator" else 0)
        kept = await console.page.evaluate(
            "[{...localStorage}, {...sessionStorage}, document.cookie, location.href]"
        )
        assert kept == [{"view": "metadata"}, {}, "", f"{cognito.base}/#/metadata"]
        assert cognito.grants == ["authorization_code"]


async def test_signed_out_by_the_server(browser: Browser, cognito: Cognito) -> None:
    """A token that the server takes no longer leads back to the door."""
    async with visiting(browser, cognito.base) as console:
        await sign_in(console)
        await expect(console.page.locator("main h1")).to_have_text("Metadata")
        cognito.refuse_tokens()
        # By its address: what the page asks by itself may have taken the links away already.
        await console.page.evaluate("location.hash = '#/mapping'")
        await expect(console.page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_answer_of_another_window(browser: Browser, cognito: Cognito) -> None:
    """A code whose state is not this window's is not taken."""
    cognito.state_to_answer = "of-somebody-else"
    async with visiting(browser, cognito.base) as console:
        await sign_in(console)
        await expect(console.page.get_by_role("alert")).to_contain_text("not belong to this window")
        assert cognito.grants == []
        assert await console.violations() == []

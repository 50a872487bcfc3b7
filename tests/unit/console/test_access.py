"""Who may do what: names, origins, roles, limits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.console import Rig

from ingestor.adapters.memory import FakeClock
from ingestor.console.access import LocalAccess, NoAccess, TokenAccess, is_loopback_name, role_of
from ingestor.console.limits import RateLimit
from ingestor.console.operations import OPERATIONS
from ingestor.console_ports import NotSignedIn
from ingestor.ops.pages import Page


@dataclass
class Tokens:
    """A verifier that knows some tokens by heart."""

    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    async def claims(self, token: str) -> Mapping[str, Any]:
        """See TokenVerifier."""
        if token not in self.known:
            raise NotSignedIn("it has expired")
        return self.known[token]


def rig_with(**groups: list[str]) -> Rig:
    """A console that asks for sign-in; tokens are names of users."""
    known = {
        name: {"cognito:groups": each, "username": name, "exp": 4_000_000_000}
        for name, each in groups.items()
    }
    return Rig(access=TokenAccess(Tokens({**known, "nobody": {"exp": 4_000_000_000}})))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[", "10.0.0.1"]
)
async def test_a_name_that_resolves_to_this_machine_is_not_ours(host: str) -> None:
    """DNS rebinding: the page of evil.example reaches us, and says so in Host."""
    async with Rig().running() as client:
        status, problem, _ = await client.ask("GET", "/session", headers={"Host": host})
    assert status in {400, 421}
    if status == 421:
        assert "127.0.0.1" in problem["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"])
async def test_names_of_this_machine(host: str) -> None:
    """Whatever the port: a forwarded one is this machine too."""
    async with Rig().running() as client:
        status, session, _ = await client.ask("GET", "/session", headers={"Host": host})
    assert (status, session["mode"], session["role"]) == (200, "local", "operator")
    assert session["links"] == [{"name": "grafana", "url": "https://grafana.example"}]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
async def test_pages_of_other_origins(headers: dict[str, str], status: int) -> None:
    """They may neither read nor change; there is no CORS header for them."""
    async with Rig().running() as client:
        host = client.url.removeprefix("http://")
        sent = {name: value.format(host=host) for name, value in headers.items()}
        body = {"keys": [{"key": "k"}]}
        found, _, answered = await client.ask("POST", "/metadata/refresh", json=body, headers=sent)
    assert found == status
    assert not [name for name in answered if name.lower().startswith("access-control")]


async def test_beyond_this_machine_without_sign_in() -> None:
    """Nothing is answered, and the remedy is said."""
    async with Rig(access=NoAccess()).running() as client:
        for each in OPERATIONS:
            status, problem, _ = await client.ask(each.method.upper(), each.path)
            assert status == 403
            assert "INGESTOR_CONSOLE_ISSUER" in problem["detail"]


async def test_signed_out_nothing_is_answered_but_health_and_the_page() -> None:
    """Every operation, the figures and the document are 401; probes and the page are there."""
    page = {"/": Page(b"<p>", "text/html"), "/config.json": Page(b"{}", "application/json")}
    rig = rig_with(ann=["operators"])
    async with rig.running(signed_in=True, pages=page, sign_in="https://sign.in") as client:
        for each in OPERATIONS:
            status, _, headers = await client.ask(each.method.upper(), each.path)
            assert (each.name, status) == (each.name, 401)
            assert headers["WWW-Authenticate"] == "Bearer"
        assert (await client.ask("GET", "/openapi.json"))[0] == 401
        far = {"X-Forwarded-For": "203.0.113.5"}
        answers = {}
        for path in (
            "/live",
            "/ready",
            "/",
            "/config.json",
            "/metrics",
            "/api/status",
            "/status.js",
        ):
            async with client.session.get(path, headers=far) as reply:
                answers[path] = reply.status
                policy = reply.headers["Content-Security-Policy"]
                assert "connect-src 'self' https://sign.in;" in policy
                assert "script-src 'self';" in policy
                assert "Set-Cookie" not in reply.headers
        async with client.session.get("/metrics") as reply:
            assert reply.status == 200
    assert answers == {
        "/live": 200,
        "/ready": 200,
        "/": 200,
        "/config.json": 200,
        "/metrics": 401,
        "/api/status": 401,
        "/status.js": 404,
    }


async def test_roles() -> None:
    """Viewers see, operators change, others neither."""
    rig = rig_with(vera=["viewers"], otto=["others", "operators", "viewers"], eve=["admins"])
    async with rig.running() as client:

        async def ask(user: str, method: str, path: str, **how: Any) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {user}", **how.pop("headers", {})}
            status, body, _ = await client.ask(method, path, headers=headers, **how)
            return status, body

        status, session = await ask("vera", "GET", "/session")
        assert (status, session["user"], session["permissions"]) == (200, "vera", ["read"])
        assert session["expires_ms"] == 4_000_000_000_000
        for each in OPERATIONS:
            if each.permission != "read":
                status, problem = await ask("vera", each.method.upper(), each.path)
                assert (status, "viewer" in problem["detail"]) == (403, True)
        refresh = {"json": {"keys": [{"key": "k"}]}}
        assert (await ask("otto", "POST", "/metadata/refresh", **refresh))[0] == 200
        for user in ("eve", "nobody"):
            assert (await ask(user, "GET", "/session"))[0] == 403
        for bad in ("unknown", "", "x" * 10_000):
            status, problem = await ask(bad, "GET", "/session")
            assert status in {400, 401}
        status, _, headers = await client.ask(
            "GET", "/session", headers={"Authorization": "Bearer unknown"}
        )
        assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    [event] = [each for each in rig.events if each["event"] == "console change"]
    assert (event["user"], event["operation"]) == ("otto", "refresh")


@pytest.mark.parametrize("groups", [None, "operators", [], [1], {"operators": 1}, ["Operators"]])
def test_what_gives_no_role(groups: object) -> None:
    """Only a list with one of our groups does."""
    assert role_of(groups) is None


async def test_who_asks_too_often() -> None:
    """429 with the time to wait; changes have a limit of their own."""
    rig = Rig(facts={"reads_per_second": 0.2, "changes_per_second": 0.2})
    async with rig.running() as client:
        first, _, _ = await client.ask("GET", "/session")
        second, problem, headers = await client.ask("GET", "/session")
        change, _ = await client.post("/metadata/refresh", {"keys": [{"key": "k"}]})
    assert (first, second, change) == (200, 429, 200)
    assert 1 <= int(headers["Retry-After"]) <= 6
    assert problem["title"] == "Too Many Requests"


async def test_a_bucket_fills_again() -> None:
    """With time, up to the burst; the one unused longest is forgotten."""
    clock = FakeClock()
    limit = RateLimit(clock, per_second=2, burst=2, most=2)
    assert [limit.wait_seconds("a") for _ in range(3)] == [0.0, 0.0, 0.5]
    await clock.advance(0.5)
    assert [limit.wait_seconds("a"), limit.wait_seconds("a")] == [0.0, 0.5]
    limit.wait_seconds("b")
    limit.wait_seconds("c")
    assert limit.wait_seconds("a") == 0.0


def test_loopback_names() -> None:
    """Addresses and the one name; nothing that only looks like it."""
    assert all(map(is_loopback_name, ("localhost", "127.0.0.1", "127.8.9.1", "::1")))
    others = ("0.0.0.0", "", "localhost.evil.example", "::", "10.0.0.1")  # noqa: S104 - names
    assert not any(map(is_loopback_name, others))


async def test_unknown_paths_and_methods_are_problems() -> None:
    """404 and 405, as JSON."""
    async with Rig(access=LocalAccess()).running() as client:
        status, problem, _ = await client.ask("GET", "/nothing")
        wrong, _, headers = await client.ask("DELETE", "/session")
    assert (status, problem["title"]) == (404, "Not Found")
    assert (wrong, "GET" in headers["Allow"]) == (405, True)


async def test_events_end_with_the_token() -> None:
    """The stream of somebody whose token has expired ends."""
    rig = Rig(access=TokenAccess(Tokens({"ann": {"cognito:groups": ["viewers"], "exp": 1}})))
    async with rig.running() as client, asyncio.timeout(20):
        async with client.session.get(
            "/api/v1/events", headers={"Authorization": "Bearer ann"}
        ) as reply:
            await reply.read()
        assert reply.status == 200

"""The ops server, asked over HTTP on the loopback interface."""

import json
import logging
import math
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from ingestor.ops.server import OpsServer, OpsSetupError


class Service:
    """What a server is told by the service it speaks for; tests change it."""

    def __init__(self) -> None:
        self.not_live: list[str] = []
        self.not_ready: list[str] = []
        self.figures: dict[str, Any] = {"state": "running"}
        self.broken = False

    def metrics(self) -> bytes:
        """One metric."""
        self.fail_if_broken()
        return b"ingestor_up 1.0\n"

    def live(self) -> list[str]:
        """Why not."""
        self.fail_if_broken()
        return self.not_live

    def ready(self) -> list[str]:
        """Why not."""
        self.fail_if_broken()
        return self.not_ready

    def status(self) -> dict[str, Any]:
        """The figures."""
        self.fail_if_broken()
        return self.figures

    def fail_if_broken(self) -> None:
        """Raise what must not reach a client."""
        if self.broken:
            raise ValueError("an inner detail")

    def server(self, port: int = 0) -> OpsServer:
        """A server for this service."""
        return OpsServer(
            host="127.0.0.1",
            port=port,
            metrics=self.metrics,
            live=self.live,
            ready=self.ready,
            status=self.status,
        )


@pytest.fixture
def service() -> Service:
    """One with which all is well."""
    return Service()


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a running server."""
    async with service.server() as server, aiohttp.ClientSession(server.url) as client:
        yield client


@pytest.mark.parametrize("name", ["live", "ready"])
async def test_a_probe_without_reasons_is_fine(client: aiohttp.ClientSession, name: str) -> None:
    """200, and a body that a person understands."""
    async with client.get(f"/{name}") as reply:
        assert reply.status == 200
        assert await reply.json() == {name: True}


async def test_a_probe_with_reasons_names_all_of_them(
    service: Service, client: aiohttp.ClientSession
) -> None:
    """503 is what orchestrators look at, the reasons are for people."""
    service.not_live = ["it stands still"]
    service.not_ready = ["influxdb: refused", "draining"]

    async with client.get("/live") as live, client.get("/ready") as ready:
        assert (live.status, ready.status) == (503, 503)
        assert await live.json() == {"live": False, "reasons": ["it stands still"]}
        assert await ready.json() == {"ready": False, "reasons": ["influxdb: refused", "draining"]}


async def test_metrics_come_as_they_are_with_the_type_that_prometheus_expects(
    client: aiohttp.ClientSession,
) -> None:
    """Scrapers choose their parser by the type."""
    async with client.get("/metrics") as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert await reply.read() == b"ingestor_up 1.0\n"


async def test_status_is_json_that_every_reader_takes(
    service: Service, client: aiohttp.ClientSession
) -> None:
    """A figure that is not a number becomes null: JSON has no other word for it."""
    service.figures = {"state": "running", "lag_ms": {"p50": math.nan, "p99": 1.5}}

    async with client.get("/api/status") as reply:
        assert reply.content_type == "application/json"
        assert json.loads(await reply.text()) == {
            "state": "running",
            "lag_ms": {"p50": None, "p99": 1.5},
        }


async def test_the_page_brings_all_it_needs_from_this_server(
    client: aiohttp.ClientSession,
) -> None:
    """Nothing is loaded from elsewhere, and nothing inline that the policy would block."""
    async with client.get("/") as reply:
        assert reply.content_type == "text/html"
        page = await reply.text()
    assert "style=" not in page
    assert not re.search(r"\son\w+=|<script>|<style", page)
    wanted = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert wanted
    for path in wanted:
        assert path.startswith("/")
        async with client.get(path) as reply:
            assert reply.status == 200
            wanted += re.findall(r'^import .* from "([^"]+)"', await reply.text(), re.MULTILINE)


@pytest.mark.parametrize("path", ["/", "/live", "/metrics", "/api/status", "/nothing-here"])
async def test_every_answer_is_guarded_by_headers(client: aiohttp.ClientSession, path: str) -> None:
    """Neither cached, nor framed, nor guessed at; and it does not tell its versions."""
    async with client.get(path) as reply:
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Server"] == "ingestor"
        policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/nothing-here", "/static/", "/..%2fserver.py", "/api/"])
async def test_there_is_nothing_else(client: aiohttp.ClientSession, path: str) -> None:
    """Other paths are not found."""
    async with client.get(path) as reply:
        assert reply.status == 404


@pytest.mark.parametrize("path", ["/", "/live", "/ready", "/metrics", "/api/status"])
async def test_it_can_be_read_but_not_written(client: aiohttp.ClientSession, path: str) -> None:
    """GET and HEAD alone are allowed."""
    async with client.head(path) as head:
        assert head.status == 200
        assert await head.read() == b""
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        async with client.request(method, path) as reply:
            assert reply.status == 405
            assert reply.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics", "/api/status"])
async def test_a_failure_is_logged_and_not_told(
    service: Service,
    client: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    """The client learns that it failed; why stands in the log; the server lives on."""
    service.broken = True
    async with client.get(path) as reply:
        assert reply.status == 500
        assert await reply.text() == "internal error\n"
    assert "an inner detail" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR

    service.broken = False
    async with client.get(path) as reply:
        assert reply.status == 200


async def test_a_port_in_use_is_named(service: Service) -> None:
    """Whoever starts two on one machine is told which port to change."""
    async with service.server() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OpsSetupError, match=f"127.0.0.1 port {port}"):
            async with service.server(port):
                pytest.fail("two servers on one port")


async def test_it_can_be_opened_again_where_it_was(service: Service) -> None:
    """Closing frees the port at once, also while a client keeps its connection."""
    async with aiohttp.ClientSession() as client:
        async with service.server() as server:
            url = server.url
            async with client.get(f"{url}/live") as reply:
                await reply.read()
        async with service.server(int(url.rpartition(":")[2])), client.get(f"{url}/live") as reply:
            assert reply.status == 200

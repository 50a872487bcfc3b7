"""What strangers may ask the running service, and whom it trusts."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from support.canned import CannedServer
from support.certificates import make_certificate
from support.influxdb import Api

from ingestor.adapters.sqs import open_sqs
from ingestor.config import Settings
from ingestor.ops.server import OpsServer
from ingestor.ports import Unavailable

PACKAGE = Path(__file__).parents[2] / "ingestor"
UNVERIFIED = re.compile(
    r"verify(_ssl)?\s*=\s*False|ssl\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False"
    r"|_create_unverified_context|verify_mode\s*=|create_stdlib_context"
)
"""The ways in which Python's clients are told to trust everybody."""


def ops_server() -> OpsServer:
    """One that has nothing to tell, where the default says."""
    nothing: Mapping[str, Any] = {}
    return OpsServer(
        host=Settings.model_fields["ops_host"].default,
        port=0,
        metrics=lambda: b"",
        live=list,
        ready=list,
        status=lambda: nothing,
    )


async def ask(url: str, request: bytes) -> bytes:
    """Send bytes, or as many as are taken; the first line of what comes back."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(30):
            writer.write(request)
            return await reader.readline()
    finally:
        writer.transport.abort()


async def test_the_ops_server_is_for_this_machine_alone() -> None:
    """Unless told otherwise it listens at one address of the loopback interface."""
    async with ops_server() as server:
        port = int(server.url.rpartition(":")[2])
        assert server.url.startswith("http://127.0.0.1:")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.2", port)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b" 400 "),
        (b"GET /live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b" 400 "),
        (b"GET /live HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", b" 400 "),
        (b"POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nx", b" 405 "),
        # Answered before the body has come: nobody waits for it.
        (b"GET /live HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nx", b" 200 "),
    ],
    ids=["long path", "long header", "many headers", "posted body", "body that nobody wants"],
)
async def test_requests_are_bounded(request_: bytes, status: bytes) -> None:
    """What is too long is refused while it comes, and others are answered as before."""
    async with ops_server() as server, aiohttp.ClientSession(server.url) as session:
        assert status in await ask(server.url, request_)
        async with session.get("/live") as response:
            assert response.status == 200


def test_nothing_switches_verification_off() -> None:
    """Neither a setting nor a line of code makes TLS trust everybody."""
    assert not [
        name for name in Settings.model_fields if re.search("tls|ssl|verify|insecure", name)
    ]
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in PACKAGE.rglob("*.py")
        for match in UNVERIFIED.finditer(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_influxdb_with_a_strange_certificate(version: str, tmp_path: Path) -> None:
    """It gets no request and no secret, and the reason names the remedy."""
    certificate = make_certificate(tmp_path)
    async with CannedServer(tls=certificate.server) as server:
        async with Api(version).open(server.url) as sink:
            for call in (sink.ping(), sink.write([b"m f=1 1"])):
                with pytest.raises(Unavailable, match="SSL_CERT_FILE"):
                    await call
        assert server.requests == []


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_influxdb_with_a_certificate_that_is_trusted(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is one."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    async with CannedServer(tls=certificate.server) as server:
        async with Api(version).open(server.url) as sink:
            await sink.write([b"m f=1 1"])
        assert len(server.requests) == 1


@pytest.mark.parametrize("client", ["lean", "aioboto3"])
async def test_sqs_with_a_strange_certificate(
    client: Literal["lean", "aioboto3"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets no request, and the reason names the remedy."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    certificate = make_certificate(tmp_path)
    async with CannedServer(tls=certificate.server) as server:
        with pytest.raises(Unavailable, match="AWS_CA_BUNDLE"):
            async with open_sqs(
                queue_url=f"{server.url}/1/readings",
                dead_letter_queue_url=f"{server.url}/1/dead",
                wait_seconds=1,
                pollers=1,
                endpoint_url=server.url,
                region_name="eu-west-1",
                client=client,
            ):
                raise AssertionError
        assert server.requests == []

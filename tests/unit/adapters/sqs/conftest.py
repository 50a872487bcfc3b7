"""The lean client of SQS in front of a server that answers what it is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from support.canned import CannedServer

from ingestor.adapters.sqs.lean.transport import LeanTransport, open_lean


@dataclass(slots=True, frozen=True)
class Lean:
    """A transport of the lean client, and the server it talks to."""

    calls: LeanTransport
    server: CannedServer


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
async def lean() -> AsyncIterator[Lean]:
    """Both of them, ready."""
    async with (
        CannedServer() as server,
        open_lean(wait_seconds=1, pollers=1, endpoint_url=server.url, region_name=None) as (
            _,
            calls,
        ),
    ):
        yield Lean(calls, server)

"""Where the lean client finds SQS, whom it trusts, and what it refuses to go through."""

import ssl
from pathlib import Path

import pytest
from support.canned import CannedServer, reply
from support.certificates import make_certificate

from ingestor.adapters.sqs.answers import DepthAnswer
from ingestor.adapters.sqs.lean.endpoint import Endpoint, find_endpoint, make_session
from ingestor.adapters.sqs.lean.transport import open_lean
from ingestor.adapters.sqs.setup import QueueSetupError
from ingestor.ports import Unavailable

DEPTH = (
    '{"Attributes": {"ApproximateNumberOfMessages": "1",'
    ' "ApproximateNumberOfMessagesNotVisible": "2"}}'
)


def find(endpoint_url: str | None = None, region_name: str | None = None) -> Endpoint:
    """The address that the present environment leads to."""
    return find_endpoint(make_session(), endpoint_url=endpoint_url, region_name=region_name)


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, "sqs.eu-west-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "sqs.cn-north-1.amazonaws.com.cn"),
        (
            {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "us-east-1"},
            "sqs-fips.us-east-1.amazonaws.com",
        ),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "sqs.eu-west-1.api.aws"),
        ({"AWS_ENDPOINT_URL": "https://gateway.internal"}, "gateway.internal"),
        (
            {
                "AWS_ENDPOINT_URL": "https://a.internal",
                "AWS_ENDPOINT_URL_SQS": "https://b.internal",
            },
            "b.internal",
        ),
    ],
)
def test_the_address_is_botocores(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], host: str
) -> None:
    """Partitions, variants and variables lead where they lead every other client."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = find()
    assert (found.host, found.host_header, found.port, found.path) == (host, host, 443, "/")
    assert found.tls is not None
    assert found.tls.verify_mode is ssl.CERT_REQUIRED
    assert found.tls.check_hostname


@pytest.mark.parametrize(
    ("url", "host", "header", "port", "path"),
    [
        ("http://127.0.0.1:4566", "127.0.0.1", "127.0.0.1:4566", 4566, "/"),
        ("http://localhost:80/", "localhost", "localhost", 80, "/"),
        ("http://[::1]:9324/a b", "::1", "[::1]:9324", 9324, "/a%20b"),
    ],
)
def test_an_address_of_ones_own(url: str, host: str, header: str, port: int, path: str) -> None:
    """Emulators and gateways: with port and path, without TLS."""
    found = find(url, "eu-north-1")
    assert found == Endpoint(host, port, header, path, "eu-north-1", None)


def test_a_profile_can_name_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The shared configuration file counts, too."""
    config = tmp_path / "config"
    config.write_text(
        "[profile here]\nregion = eu-north-1\nservices = local\n"
        "[services local]\nsqs =\n  endpoint_url = http://127.0.0.1:1234\n"
    )
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "here")
    found = find()
    assert (found.region_name, found.host_header) == ("eu-north-1", "127.0.0.1:1234")


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in a variable is a mistake in the setup."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "sqs.internal")
    with pytest.raises(QueueSetupError, match="not a URL"):
        find()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_proxies_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is configured and would not be used is told, with both remedies."""
    monkeypatch.setenv(name, "http://user:pass@proxy.internal:3128")
    with pytest.raises(QueueSetupError, match="INGESTOR_SQS_CLIENT=aioboto3") as caught:
        find()
    assert "NO_PROXY" in str(caught.value)
    assert "pass" not in str(caught.value)


def test_a_proxy_for_others_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY says that SQS is reached directly."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.internal:3128")
    monkeypatch.setenv("NO_PROXY", ".amazonaws.com")
    assert find().host == "sqs.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    """A file that is missing or holds something else is told."""
    file = tmp_path / "bundle.pem"
    if content:
        file.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(file))
    with pytest.raises(Unavailable, match="AWS_CA_BUNDLE"):
        find()


async def depth(url: str) -> int:
    """Ask over a client of its own."""
    async with open_lean(wait_seconds=1, pollers=1, endpoint_url=url, region_name=None) as (
        _,
        calls,
    ):
        answer = await calls.call("GetQueueAttributes", {}, DepthAnswer, seconds=30)
    return answer.attributes.approximate_number_of_messages


async def test_tls_with_a_trusted_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """AWS_CA_BUNDLE names whom to trust."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.authority))
    async with CannedServer(tls=certificate.server) as server:
        server.replies += [reply(200, DEPTH)]
        assert await depth(server.url) == 1


async def test_tls_with_a_strange_certificate(tmp_path: Path) -> None:
    """Nobody vouches for it: nothing is sent."""
    async with CannedServer(tls=make_certificate(tmp_path).server) as server:
        with pytest.raises(Unavailable, match="certificate is not signed by anybody we trust"):
            await depth(server.url)
        assert server.requests == []


async def test_tls_with_somebody_elses_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is trusted, but for another address: nothing is sent."""
    certificate = make_certificate(tmp_path, address="127.0.0.2")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.authority))
    async with CannedServer(tls=certificate.server) as server:
        with pytest.raises(Unavailable, match="certificate is not signed by anybody we trust"):
            await depth(server.url)
        assert server.requests == []

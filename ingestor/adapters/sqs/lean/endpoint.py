"""Where SQS is, as botocore's own chain has it: parameters, environment, files, partitions."""

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from ingestor.adapters.aws import know_region_variables, making_clients
from ingestor.adapters.sqs.setup import QueueSetupError
from ingestor.ports import Unavailable

_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True, frozen=True)
class Endpoint:
    """An address, and how to reach it; `tls` is None for plain HTTP, else it verifies."""

    host: str
    port: int
    host_header: str
    path: str
    region_name: str
    tls: ssl.SSLContext | None


def make_session() -> botocore.session.Session:
    """The configuration and credentials of botocore, as they are now."""
    session = botocore.session.get_session()
    know_region_variables(session)
    return session


def find_endpoint(
    session: botocore.session.Session, *, endpoint_url: str | None, region_name: str | None
) -> Endpoint:
    """Ask botocore. Takes a fifth of a second: it reads the description of the service.

    Raises:
        QueueSetupError: there is no region, the address is none, or a proxy is configured.
        Unavailable: botocore cannot read its configuration, or the certificates cannot be read.
    """
    with making_clients("SQS", QueueSetupError):
        try:
            client = session.create_client(
                "sqs",
                region_name=region_name,
                endpoint_url=endpoint_url,
                config=Config(signature_version=UNSIGNED),
            )
        except ValueError as exc:
            raise QueueSetupError(
                "The address that AWS_ENDPOINT_URL or the profile names for SQS is not a URL."
            ) from exc
        url, region = client.meta.endpoint_url, client.meta.region_name
        certificates = session.get_config_variable("ca_bundle")
    if get_environ_proxies(url):
        raise QueueSetupError(
            "A proxy is configured in the environment (HTTPS_PROXY, HTTP_PROXY), and the lean "
            "client of SQS uses none. Name the host of SQS in NO_PROXY to go there directly, or "
            "set INGESTOR_SQS_CLIENT=aioboto3, which uses the proxy."
        )
    return _endpoint(url, region, certificates)


def _endpoint(url: str, region: str, certificates: Any) -> Endpoint:
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = port == _PORTS[parts.scheme]
    return Endpoint(
        host=parts.hostname or "",
        port=port,
        host_header=f"{name}" if default else f"{name}:{port}",
        path=quote(parts.path or "/", safe="/-_.~%"),
        region_name=region,
        tls=_tls(certificates) if parts.scheme == "https" else None,
    )


def _tls(certificates: Any) -> ssl.SSLContext:
    # The certificates that aioboto3 trusts too: AWS_CA_BUNDLE, ca_bundle, or those that came along.
    path = certificates or get_cert_path(True)  # noqa: FBT003 - botocore's signature
    try:
        return ssl.create_default_context(cafile=str(path))
    except OSError as exc:
        raise Unavailable(
            "The certificates that AWS_CA_BUNDLE or ca_bundle names cannot be read: "
            f"{type(exc).__name__}."
        ) from exc

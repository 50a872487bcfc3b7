"""Certificates for servers of tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(slots=True, frozen=True)
class Certificate:
    """A certificate that signs itself, for 127.0.0.1; `authority` is what a client must trust."""

    authority: Path
    server: SSLContext


def make_certificate(folder: Path, *, address: str = "127.0.0.1") -> Certificate:
    """Make one, valid for a day, for another address if so wanted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)  # noqa: FBT003 - its signature
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority = folder / f"{address}.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / f"{address}.key"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = SSLContext(PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority, secret)
    return Certificate(authority, server)

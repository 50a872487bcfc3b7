"""Requests of the AWS JSON protocol, signed (Signature Version 4)."""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from ingestor.adapters.sqs.lean.endpoint import Endpoint

SERVICE = "sqs"
CONTENT_TYPE = "application/x-amz-json-1.0"
_ALGORITHM = "AWS4-HMAC-SHA256"
_REUSED_BYTES = 1024
"""Longer bodies are of calls that nobody repeats."""


@dataclass(slots=True, frozen=True)
class Keys:
    """What to sign with; `token` is None with keys that last."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return "<Keys>"


class Signer:
    """Makes whole requests.

    The key for a day is derived once, what a second has in common is made once, and the same call
    within the same second is the same request: long polls are hardly signed at all.
    """

    def __init__(self, endpoint: Endpoint, *, user_agent: str) -> None:
        self._region = endpoint.region_name
        self._host = endpoint.host_header
        self._path = endpoint.path
        # Of a path that is quoted already, quoted again: every service but S3 wants it so.
        self._canonical_path = quote(endpoint.path, safe="/-_.~")
        self._agent = user_agent
        self._second = -1
        self._keys: Keys | None = None
        self._day = ""
        self._mac = _hmac(b"")
        self._before_target = b""
        self._made: dict[str, tuple[bytes, bytes]] = {}

    def request(self, operation: str, body: bytes, keys: Keys, now: float) -> bytes:
        """The request for a call, as it goes over the wire.

        Args:
            operation: As the API names it.
            body: The parameters, as JSON.
            keys: What to sign with.
            now: Epoch seconds by the clock of the service.
        """
        second = int(now)
        if second != self._second or keys is not self._keys:
            self._renew(second, keys)
        made = self._made.get(operation)
        if made is not None and made[0] == body:
            return made[1]
        target = f"AmazonSQS.{operation}"
        digest = hashlib.sha256(body).hexdigest()
        canonical = f"{self._canonical_start}{target}\n\n{self._names}\n{digest}"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        signature = self._mac(f"{self._to_sign}{hashed}".encode())
        head = (
            f"{self._head_start}{signature}\r\nX-Amz-Target: {target}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        request = head.encode("latin-1") + body
        if len(body) <= _REUSED_BYTES:
            self._made[operation] = (body, request)
        return request

    def _renew(self, second: int, keys: Keys) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        day = stamp[:8]
        if day != self._day or keys is not self._keys:
            self._mac = _hmac(signing_key(keys.secret_key, day, self._region))
            self._day = day
        scope = f"{day}/{self._region}/{SERVICE}/aws4_request"
        token = keys.token
        signed_token = "x-amz-security-token;" if token else ""
        canonical_token = f"x-amz-security-token:{token}\n" if token else ""
        sent_token = f"X-Amz-Security-Token: {token}\r\n" if token else ""
        self._names = f"content-type;host;x-amz-date;{signed_token}x-amz-target"
        self._canonical_start = (
            f"POST\n{self._canonical_path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{self._host}\n"
            f"x-amz-date:{stamp}\n{canonical_token}x-amz-target:"
        )
        self._to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n"
        self._head_start = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: {self._agent}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nX-Amz-Date: {stamp}\r\n"
            f"{sent_token}Authorization: {_ALGORITHM} Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={self._names}, Signature="
        )
        self._second = second
        self._keys = keys
        self._made.clear()


def _hmac(key: bytes) -> Callable[[bytes], str]:
    """HMAC-SHA256 with one key of at most 64 bytes, in hexadecimal.

    The hash of the key is made once and copied, which takes half the time of `hmac.digest`.
    """
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def mac(message: bytes) -> str:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        return second.hexdigest()

    return mac


def signing_key(secret_key: str, day: str, region: str) -> bytes:
    """What signs everything of one day (`20261124`) in one region."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key

"""AWS Signature Version 4 for one kind of request: a POST of JSON to the root of a service.

botocore's signer takes ten times as long, because it serves every kind of request there is.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from botocore.credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs requests of one operation to one endpoint."""

    def __init__(
        self, endpoint: str, service: str, region: str, target: str, credentials: Credentials
    ) -> None:
        frozen = credentials.get_frozen_credentials()
        self._access_key, self._secret = frozen.access_key, frozen.secret_key
        self._fixed = {
            "content-type": "application/x-amz-json-1.0",
            "host": urlsplit(endpoint).netloc,
            "x-amz-target": target,
        }
        if frozen.token:
            self._fixed["x-amz-security-token"] = frozen.token
        self._region, self._service = region, service
        self._day = ""
        self._key = b""

    def headers(self, body: bytes, now: datetime) -> Mapping[str, str]:
        """The headers of a request with this body; `now` is UTC."""
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        day = moment[:8]
        if day != self._day:
            key = f"AWS4{self._secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hmac(key, part)
            self._day, self._key = day, key
        headers = dict(sorted((*self._fixed.items(), ("x-amz-date", moment))))
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = _hmac(self._key, f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}").hex()
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={self._access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")

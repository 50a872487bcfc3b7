"""Signatures: what botocore would have sent, byte for byte where it matters."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ingestor.adapters.sqs.lean.endpoint import Endpoint
from ingestor.adapters.sqs.lean.signing import CONTENT_TYPE, Keys, Signer

KEYS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = 1_795_500_000.25


def endpoint(path: str = "/", host: str = "sqs.eu-west-1.amazonaws.com") -> Endpoint:
    """An address."""
    return Endpoint(host, 443, host, path, "eu-west-1", None)


def signer(where: Endpoint | None = None) -> Signer:
    """A signer for an address."""
    return Signer(where or endpoint(), user_agent="ingestor/test")


def headers(request: bytes) -> dict[str, str]:
    """The headers of a request, names in lower case."""
    head = request.partition(b"\r\n\r\n")[0].decode()
    pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:])
    return {name.lower(): value for name, value in pairs}


def botocores(where: Endpoint, operation: str, body: bytes, keys: Keys, now: float) -> str:
    """The Authorization header as botocore makes it."""
    moment = datetime.fromtimestamp(int(now), UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {
        "Content-Type": CONTENT_TYPE,
        "X-Amz-Date": moment,
        "X-Amz-Target": f"AmazonSQS.{operation}",
    }
    if keys.token:
        sent["X-Amz-Security-Token"] = keys.token
    request = AWSRequest("POST", f"https://{where.host_header}{where.path}", sent, body)
    request.context["timestamp"] = moment
    auth = SigV4Auth(
        Credentials(keys.access_key, keys.secret_key, keys.token), "sqs", where.region_name
    )
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    scope = auth.scope(request)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


@given(
    body=st.binary(max_size=3000),
    operation=st.sampled_from(["ReceiveMessage", "DeleteMessageBatch"]),
    token=st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,200}", fullmatch=True),
    now=st.floats(0, 4e9),
    path=st.sampled_from(["/", "/queues", "/a%20b/c"]),
)
def test_signs_as_botocore_does(
    body: bytes, operation: str, token: str | None, now: float, path: str
) -> None:
    """Whatever is sent, the signature is the one that botocore computes."""
    where = endpoint(path)
    keys = Keys(KEYS.access_key, KEYS.secret_key, token)
    request = signer(where).request(operation, body, keys, now)
    assert headers(request)["authorization"] == botocores(where, operation, body, keys, now)


def test_a_request_is_whole() -> None:
    """Line, headers and body are those of the AWS JSON protocol."""
    request = signer().request("ReceiveMessage", b'{"a":1}', KEYS, NOW)
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert body == b'{"a":1}'
    sent = headers(request)
    assert sent.pop("authorization").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2026")
    assert sent == {
        "host": "sqs.eu-west-1.amazonaws.com",
        "user-agent": "ingestor/test",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-date": "20261124T060000Z",
        "x-amz-target": "AmazonSQS.ReceiveMessage",
        "content-length": "7",
    }


def test_the_same_call_within_a_second_is_the_same_request() -> None:
    """It is not even made again."""
    it = signer()
    first = it.request("ReceiveMessage", b"{}", KEYS, NOW)
    assert it.request("ReceiveMessage", b"{}", KEYS, NOW + 0.5) is first
    assert it.request("ReceiveMessage", b'{"a":1}', KEYS, NOW) != first
    assert it.request("ReceiveMessage", b"{}", KEYS, NOW + 1) != first


@pytest.mark.parametrize("later", [0.0, 1.0, 86_400.0])
def test_new_keys_sign_at_once(later: float) -> None:
    """In the same second, and on another day, the present keys count."""
    it = signer()
    it.request("ReceiveMessage", b"{}", KEYS, NOW)
    other = Keys("OTHER", "secret", "token")
    request = it.request("ReceiveMessage", b"{}", other, NOW + later)
    expected = botocores(endpoint(), "ReceiveMessage", b"{}", other, NOW + later)
    assert headers(request)["authorization"] == expected


def test_large_bodies_are_not_kept() -> None:
    """Only what is worth keeping is kept: a dead letter may have a megabyte."""
    it = signer()
    body = b"x" * 5000
    first = it.request("SendMessageBatch", body, KEYS, NOW)
    second = it.request("SendMessageBatch", body, KEYS, NOW)
    assert first == second
    assert first is not second


def test_keys_are_never_shown() -> None:
    """Not in a traceback, not in a log."""
    assert repr(KEYS) == "<Keys>"

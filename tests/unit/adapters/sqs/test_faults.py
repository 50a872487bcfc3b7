"""The lean client in front of a server that misbehaves in every way."""

import asyncio
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from support.canned import CUT, HANG, Request, reply
from unit.adapters.sqs.conftest import Lean

from ingestor.adapters.aws import ErrorAnswer
from ingestor.adapters.sqs.answers import DepthAnswer
from ingestor.ports import Unavailable

DEPTH = {
    "Attributes": {
        "ApproximateNumberOfMessages": "3",
        "ApproximateNumberOfMessagesNotVisible": "4",
    }
}
GOOD = reply(200, json.dumps(DEPTH))


def refusal(code: str, status: int = 400, **headers: str) -> bytes:
    """An error as the AWS JSON protocol has it."""
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "the secret body"})
    return reply(status, body, **headers)


async def ask(lean: Lean, seconds: float = 30.0) -> Any:
    """One call."""
    return await lean.calls.call(
        "GetQueueAttributes", {"QueueUrl": "url"}, DepthAnswer, seconds=seconds
    )


def key_of(request: Request) -> str:
    """The access key that a request is signed with."""
    return request.headers["authorization"].partition("Credential=")[2].partition("/")[0]


async def test_calls_share_a_connection(lean: Lean) -> None:
    """What is asked one after another goes over one connection."""
    lean.server.replies += [GOOD] * 3
    for _ in range(3):
        answer = await ask(lean)
        assert answer.attributes.approximate_number_of_messages == 3
    assert lean.server.connections == 1
    assert {each.headers["x-amz-target"] for each in lean.server.requests} == {
        "AmazonSQS.GetQueueAttributes"
    }
    assert lean.server.requests[0].body == b'{"QueueUrl":"url"}'


async def test_every_reply_is_read_as_it_is(lean: Lean) -> None:
    """Also after one that said something else, and when the same bytes come again."""
    fuller = {"Attributes": DEPTH["Attributes"] | {"ApproximateNumberOfMessages": "30"}}
    lean.server.replies += [GOOD, reply(200, json.dumps(fuller)), GOOD, GOOD]
    read = [await ask(lean) for _ in range(4)]
    assert [each.attributes.approximate_number_of_messages for each in read] == [3, 30, 3, 3]


async def test_chunked_replies_are_read(lean: Lean) -> None:
    """A server may not know the length of what it says."""
    body = json.dumps(DEPTH).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:]))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    lean.server.replies += [head + chunks + b"0\r\n\r\n", GOOD]
    await ask(lean)
    await ask(lean)
    assert lean.server.connections == 1


@pytest.mark.parametrize("fault", [CUT, GOOD[:30] + CUT, GOOD[:-5] + CUT])
async def test_a_lost_connection_is_tried_once_more(lean: Lean, fault: bytes) -> None:
    """Before the reply, in its headers or in its body; over a new connection."""
    lean.server.replies += [fault, GOOD]
    await ask(lean)
    assert lean.server.connections == 2
    lean.server.replies += [fault, fault, GOOD]
    with pytest.raises(Unavailable, match="cannot be reached for GetQueueAttributes"):
        await ask(lean)
    await ask(lean)


async def test_a_connection_that_the_server_closed_meanwhile(lean: Lean) -> None:
    """It is noticed, or made good for, and never reported."""
    for _ in range(3):
        lean.server.replies += [GOOD + CUT]
        await ask(lean)
    assert lean.server.connections >= 3


async def test_a_server_that_wants_to_close(lean: Lean) -> None:
    """`Connection: close` is heeded."""
    lean.server.replies += [reply(200, json.dumps(DEPTH), Connection="close"), GOOD]
    await ask(lean)
    await ask(lean)
    assert lean.server.connections == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_error_of_the_server_is_asked_once_more(lean: Lean, status: int) -> None:
    """Such things pass; when it happens again the caller decides when to come back."""
    lean.server.replies += [refusal("InternalFailure", status), GOOD]
    await ask(lean)
    lean.server.replies += [
        refusal("InternalFailure", status),
        reply(status, "<html>", Retry_After="7"),
    ]
    with pytest.raises(Unavailable, match=f"Unknown .HTTP {status}") as caught:
        await ask(lean)
    assert caught.value.retry_after_seconds == 7
    assert len(lean.server.requests) == 4


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("RequestThrottled", 400, "asked too often"),
        ("ThrottlingException", 400, "asked too often"),
        ("TooManyRequestsException", 429, "asked too often"),
        ("AccessDenied", 403, "lacks the permission"),
        ("QueueDoesNotExist", 400, "QueueDoesNotExist"),
    ],
)
async def test_a_refusal_is_asked_once(lean: Lean, code: str, status: int, says: str) -> None:
    """Asking again at once would make throttling worse, and change nothing else."""
    lean.server.replies += [refusal(code, status, Retry_After="3")]
    with pytest.raises(ErrorAnswer, match=says) as caught:
        await ask(lean)
    assert caught.value.code == code
    assert caught.value.retry_after_seconds == 3
    assert "secret" not in str(caught.value)
    assert len(lean.server.requests) == 1


async def test_the_code_of_the_older_protocol_counts(lean: Lean) -> None:
    """Some endpoints tell it in a header."""
    query_error = "AWS.SimpleQueueService.NonExistentQueue;Sender"
    lean.server.replies += [refusal("Other", x_amzn_query_error=query_error)]
    with pytest.raises(ErrorAnswer) as caught:
        await ask(lean)
    assert caught.value.code == "NonExistentQueue"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(lean: Lean, status: int) -> None:
    """Signed requests go nowhere else."""
    lean.server.replies += [reply(status, Location=f"{lean.server.url}/elsewhere")]
    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        await ask(lean)
    assert len(lean.server.requests) == 1


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "{}", '{"Attributes": {}}', '{"Attributes": null}', "[" * 5000]
)
async def test_an_answer_that_is_none(lean: Lean, body: str) -> None:
    """A page of somebody else's is unavailable, not a crash."""
    lean.server.replies += [reply(200, body), GOOD]
    with pytest.raises(Unavailable, match="something unreadable"):
        await ask(lean)
    await ask(lean)


async def test_a_reply_that_is_no_http(lean: Lean) -> None:
    """Something else listens there."""
    lean.server.replies += [b"SSH-2.0-OpenSSH\r\n" + HANG, GOOD]
    with pytest.raises(Unavailable, match="something unreadable"):
        await ask(lean)
    await ask(lean)


@pytest.mark.parametrize("start", [b"", GOOD[:20], GOOD[:-1]])
async def test_a_reply_that_does_not_end(lean: Lean, start: bytes) -> None:
    """The deadline counts for the whole call, and the connection is not used again."""
    lean.server.replies += [GOOD, start + HANG, GOOD]
    await ask(lean)  # the connection is there: nothing but the reply takes time
    with pytest.raises(Unavailable, match="did not answer GetQueueAttributes within 0"):
        await ask(lean, 0.05)
    await ask(lean)
    assert lean.server.connections == 2


async def test_deadlines_come_in_any_order(lean: Lean) -> None:
    """A short one is kept beside a long one."""
    lean.server.gate.clear()
    lean.server.replies += [GOOD, GOOD, GOOD]
    async with asyncio.TaskGroup() as group:
        long = group.create_task(ask(lean, 30.0), name="long")
        await lean.server.received(1)
        for seconds in (0.2, 0.05):
            with pytest.raises(Unavailable, match="within"):
                await ask(lean, seconds)
        assert not long.done()
        lean.server.gate.set()


async def test_a_cancelled_call_hurts_no_other(lean: Lean) -> None:
    """Its late reply is not taken for that of another call."""
    lean.server.replies += [reply(200, '{"Attributes": "late"}'), GOOD]
    lean.server.gate.clear()
    task = asyncio.create_task(ask(lean), name="cancelled")
    await lean.server.received(1)
    task.cancel()
    await asyncio.wait([task])
    lean.server.gate.set()
    await ask(lean)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"])
async def test_refused_credentials_are_replaced(
    lean: Lean, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Where the chain has others by now they are used at once; a person need not notice."""
    lean.server.replies += [GOOD, refusal(code, 403), GOOD]
    await ask(lean)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "newer-key-id")
    await ask(lean)
    keys = [key_of(each) for each in lean.server.requests]
    assert keys == ["test-key-id", "test-key-id", "newer-key-id"]


async def test_refused_credentials_without_others(lean: Lean) -> None:
    """Told as such, after one call."""
    lean.server.replies += [refusal("ExpiredToken", 403)]
    with pytest.raises(Unavailable, match="does not accept our credentials"):
        await ask(lean)
    assert len(lean.server.requests) == 1


@pytest.mark.parametrize(
    "code", ["InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"]
)
@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_a_wrong_clock_is_corrected(lean: Lean, code: str, seconds: int) -> None:
    """The Date header of the refusal says what the time is; later calls are right at once."""
    there = formatdate(time.time() + seconds, usegmt=True)
    lean.server.replies += [refusal(code, 403, Date=there), GOOD, GOOD]
    await ask(lean)
    await ask(lean)
    first, *rest = [each.headers["x-amz-date"][:11] for each in lean.server.requests]
    right = time.strftime("%Y%m%dT%H", time.gmtime(time.time() + seconds))
    assert first != right
    assert rest == [right, right]


@pytest.mark.parametrize("date", ["", "soon", "now"])
async def test_a_refused_signature_with_a_right_clock(lean: Lean, date: str) -> None:
    """A wrong secret is no matter of time."""
    date = formatdate(usegmt=True) if date == "now" else date
    lean.server.replies += [refusal("SignatureDoesNotMatch", 403, Date=date)]
    with pytest.raises(Unavailable, match="does not accept our credentials"):
        await ask(lean)
    assert len(lean.server.requests) == 1


async def test_nobody_listens(lean: Lean) -> None:
    """The server is gone; the kept connection, too."""
    lean.server.replies += [GOOD]
    await ask(lean)
    await lean.server.__aexit__()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await ask(lean)

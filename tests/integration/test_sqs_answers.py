"""The SQS adapter and every odd answer that an endpoint can give."""

import base64
import gzip
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest
from integration.canned_aws import CREDENTIALS, Answer, CannedAws, refusal

from ingestor.adapters.sqs import QueueSetupError, SqsQueue, open_sqs
from ingestor.core.message import Attributes, Message, Reason, Receipt, Rejected, Stage
from ingestor.ports import DeadLetter, Failure, Unavailable
from loadtest.servers import free_port

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/readings"
DEAD_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead"
ATTRIBUTES = {"VisibilityTimeout": "30", "MaximumMessageSize": "262144"}
RECEIPTS = [Receipt("a", "handle-a"), Receipt("b", "handle-b")]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def canned() -> AsyncIterator[CannedAws]:
    """An endpoint whose queues are in order."""
    async with CannedAws() as server:
        server.always["GetQueueAttributes"] = Answer({"Attributes": ATTRIBUTES})
        yield server


class Opening(Protocol):
    """Opens the adapter by one of its clients."""

    def __call__(
        self, url: str, *, dead_url: str | None = DEAD_URL
    ) -> AbstractAsyncContextManager[SqsQueue]:
        """The adapter, in front of the endpoint with this address."""
        ...


@pytest.fixture(params=["aioboto3", "lean"])
def opening(request: pytest.FixtureRequest) -> Opening:
    """Each client in turn."""

    def opened(
        url: str, *, dead_url: str | None = DEAD_URL
    ) -> AbstractAsyncContextManager[SqsQueue]:
        return open_sqs(
            queue_url=URL,
            dead_letter_queue_url=dead_url,
            wait_seconds=0,
            pollers=1,
            endpoint_url=url,
            client=request.param,
        )

    return opened


@pytest.fixture
async def queue(canned: CannedAws, opening: Opening) -> AsyncIterator[SqsQueue]:
    """The adapter in front of the canned endpoint."""
    async with opening(canned.url) as opened:
        yield opened


def letter(message_id: str, body: str, detail: str = "why") -> DeadLetter:
    """A dead letter."""
    rejection = Rejected(Stage.MAP, Reason.BAD_FIELD, detail)
    return DeadLetter(Message(message_id, "handle", body, Attributes(1_700_000_000_123)), rejection)


def text(entry: dict[str, Any], name: str) -> str | None:
    """A message attribute of an entry that was sent."""
    attribute = entry["MessageAttributes"].get(name)
    return None if attribute is None else str(attribute["StringValue"])


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("RequestThrottled", 400, "asked too often"),
        ("ThrottlingException", 400, "asked too often"),
        ("ServiceUnavailable", 503, "HTTP 503"),
        ("InternalFailure", 500, "HTTP 500"),
        ("ExpiredTokenException", 403, "does not accept our credentials"),
        ("InvalidClientTokenId", 403, "does not accept our credentials"),
        ("AccessDeniedException", 403, "lacks the permission"),
        ("QueueDoesNotExist", 400, "QueueDoesNotExist"),
        ("SomethingNew", 418, "SomethingNew"),
    ],
)
async def test_a_refused_call_is_unavailable(
    canned: CannedAws, queue: SqsQueue, code: str, status: int, says: str
) -> None:
    """Whatever SQS answers to a whole call, asking later may help; the reason names the code."""
    canned.always["ReceiveMessage"] = refusal(code, message="the body was: secret", status=status)
    with pytest.raises(Unavailable) as caught:
        await queue.receive()
    assert says in caught.value.reason
    assert code in caught.value.reason
    assert "secret" not in caught.value.reason
    assert caught.value.retry_after_seconds is None


@pytest.mark.parametrize(
    ("asked", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
async def test_hands_on_how_long_to_wait(
    canned: CannedAws, queue: SqsQueue, asked: str, seconds: float | None
) -> None:
    """A Retry-After in seconds is in the error."""
    canned.always["DeleteMessageBatch"] = refusal("SlowDown", status=503, Retry_After=asked)
    with pytest.raises(Unavailable) as caught:
        await queue.delete(RECEIPTS)
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("body", ["<html>oh no</html>", "", "[]", '{"Attributes": {}}'])
async def test_an_unreadable_answer_is_unavailable(
    canned: CannedAws, queue: SqsQueue, body: str
) -> None:
    """A proxy's page, or an answer without what was asked for, is no answer."""
    canned.always["GetQueueAttributes"] = Answer(body)
    with pytest.raises(Unavailable):
        await queue.depth()


async def test_a_message_without_what_we_asked_for_is_unavailable(
    canned: CannedAws, queue: SqsQueue
) -> None:
    """A received message without the time of its sending is no answer."""
    canned.always["ReceiveMessage"] = Answer(
        {"Messages": [{"MessageId": "a", "ReceiptHandle": "h", "Body": "{}"}]}
    )
    with pytest.raises(Unavailable, match="unreadable"):
        list(await queue.receive())


async def test_a_lost_connection_is_tried_once_more(canned: CannedAws, queue: SqsQueue) -> None:
    """A connection that the service closes is nothing to report, unless it happens again."""
    done = Answer({"Successful": [{"Id": "0"}, {"Id": "1"}], "Failed": []})
    canned.answers["DeleteMessageBatch"] += [Answer(drops=True), done]
    assert await queue.delete(RECEIPTS) == []
    canned.always["DeleteMessageBatch"] = Answer(drops=True)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await queue.delete(RECEIPTS)


async def test_the_same_message_twice_in_one_answer(canned: CannedAws, queue: SqsQueue) -> None:
    """Both copies are handed over, and can be settled in one call."""
    twice = [
        {
            "MessageId": "a",
            "ReceiptHandle": f"handle-{n}",
            "Body": "{}",
            "Attributes": {"SentTimestamp": "1700000000123", "ApproximateReceiveCount": str(n)},
        }
        for n in (1, 2)
    ]
    canned.always["ReceiveMessage"] = Answer({"Messages": twice})
    messages = list(await queue.receive())
    assert [(each.message_id, each.attributes.receive_count) for each in messages] == [
        ("a", 1),
        ("a", 2),
    ]
    assert messages[0].attributes.sent_at_ms == 1_700_000_000_123
    canned.always["DeleteMessageBatch"] = Answer(
        {"Successful": [{"Id": "0"}, {"Id": "1"}], "Failed": []}
    )
    receipts = [Receipt(each.message_id, each.receipt_handle) for each in messages]
    assert await queue.delete(receipts) == []
    (sent,) = canned.requests["DeleteMessageBatch"]
    assert [each["ReceiptHandle"] for each in sent["Entries"]] == ["handle-1", "handle-2"]
    assert len({each["Id"] for each in sent["Entries"]}) == 2


@pytest.mark.parametrize(
    ("code", "sender_fault", "permanent"),
    [
        ("ReceiptHandleIsInvalid", True, True),
        ("InvalidParameterValue", True, True),
        ("AWS.SimpleQueueService.MessageNotInflight", True, True),
        ("RequestThrottled", True, False),
        ("KMS.DisabledException", True, False),
        ("AccessDenied", True, False),
        ("InternalError", False, False),
    ],
)
async def test_failed_entries_are_told_from_the_rest(
    canned: CannedAws, queue: SqsQueue, code: str, *, sender_fault: bool, permanent: bool
) -> None:
    """Only what can never succeed is permanent: throttling and access count as the sender's too."""
    canned.always["ChangeMessageVisibilityBatch"] = Answer(
        {
            "Successful": [{"Id": "0"}],
            "Failed": [{"Id": "1", "Code": code, "SenderFault": sender_fault, "Message": "no"}],
        }
    )
    failure = Failure("b", code.removeprefix("AWS.SimpleQueueService."), permanent)
    assert await queue.extend(RECEIPTS, 30) == [failure]


async def test_only_what_is_confirmed_has_succeeded(canned: CannedAws, queue: SqsQueue) -> None:
    """An entry that the answer does not mention has failed for now."""
    canned.always["DeleteMessageBatch"] = Answer({"Successful": [{"Id": "1"}]})
    assert await queue.delete(RECEIPTS) == [Failure("a", "NotConfirmed", permanent=False)]


@pytest.mark.parametrize(
    ("seconds", "whole"), [(0, 0), (0.2, 1), (1.9, 1), (30, 30), (43_199.9, 43_199), (1e6, 43_200)]
)
async def test_visibility_is_in_whole_seconds(
    canned: CannedAws, queue: SqsQueue, seconds: float, whole: int
) -> None:
    """Never more than asked, never beyond what SQS takes, and 0 only for 0."""
    canned.always["ChangeMessageVisibilityBatch"] = Answer({"Successful": [{"Id": "0"}]})
    await queue.extend(RECEIPTS[:1], seconds)
    (sent,) = canned.requests["ChangeMessageVisibilityBatch"]
    assert sent["Entries"][0]["VisibilityTimeout"] == whole


def _sent(n: int) -> dict[str, str]:
    return {"Id": str(n), "MessageId": f"dead-{n}", "MD5OfMessageBody": "unknown"}


def confirm(canned: CannedAws, *counts: int) -> None:
    """The next calls carry so many letters each, and all are accepted."""
    canned.answers["SendMessageBatch"] += [
        Answer({"Successful": [_sent(n) for n in range(count)]}) for count in counts
    ]


async def test_a_letter_says_why_and_where_it_came_from(canned: CannedAws, queue: SqsQueue) -> None:
    """The body is the original; everything else is in attributes."""
    confirm(canned, 1)
    assert await queue.dead_letter([letter("a", "{}")]) == []
    (sent,) = canned.requests["SendMessageBatch"]
    (entry,) = sent["Entries"]
    assert sent["QueueUrl"] == DEAD_URL
    assert entry["MessageBody"] == "{}"
    assert entry["MessageAttributes"] == {
        "stage": {"DataType": "String", "StringValue": "map"},
        "reason": {"DataType": "String", "StringValue": "bad-field"},
        "detail": {"DataType": "String", "StringValue": "why"},
        "original_message_id": {"DataType": "String", "StringValue": "a"},
        "original_sent_at_ms": {"DataType": "Number", "StringValue": "1700000000123"},
    }


async def test_a_detail_is_made_fit_for_an_attribute(canned: CannedAws, queue: SqsQueue) -> None:
    """What SQS refuses is replaced, what is long is cut, what is empty is left out."""
    confirm(canned, 3)
    letters = [
        letter("a", "{}", "NUL \x00, bell \x07, \ud800, \ufffe; tab\t and 🌡 stay"),
        letter("b", "{}", "x" * 2000),
        letter("c", "{}", ""),
    ]
    assert await queue.dead_letter(letters) == []
    first, second, third = canned.requests["SendMessageBatch"][0]["Entries"]
    assert text(first, "detail") == "NUL \ufffd, bell \ufffd, \ufffd, \ufffd; tab\t and 🌡 stay"
    assert text(second, "detail") == f"{'x' * 499}…"
    assert text(third, "detail") is None


async def test_letters_that_do_not_fit_are_compressed(canned: CannedAws, queue: SqsQueue) -> None:
    """A body that is too large beside its attributes is sent packed, and says so."""
    body = "größe " * 60_000
    confirm(canned, 2)
    assert await queue.dead_letter([letter("a", body), letter("b", "{}")]) == []
    packed, plain = canned.requests["SendMessageBatch"][0]["Entries"]
    assert text(packed, "encoding") == "gzip+base64"
    assert gzip.decompress(base64.b64decode(packed["MessageBody"])).decode() == body
    assert text(plain, "encoding") is None


async def test_a_letter_that_fits_by_no_means_hurts_no_other(
    canned: CannedAws, queue: SqsQueue
) -> None:
    """What is too large even when compressed fails for good; its neighbours are sent."""
    noise = "".join(chr(0x4E00 + (n * n * 7919 + n) % 20_000) for n in range(300_000))
    confirm(canned, 1)
    failures = await queue.dead_letter([letter("a", noise), letter("b", "{}")])
    assert failures == [Failure("a", "MessageTooLong", permanent=True)]
    assert len(canned.requests["SendMessageBatch"]) == 1


async def test_a_batch_is_split_by_size(canned: CannedAws, queue: SqsQueue) -> None:
    """One call carries no more bytes than SQS takes."""
    confirm(canned, 2, 2, 1)
    letters = [letter(str(n), "x" * 120_000) for n in range(5)]
    assert await queue.dead_letter(letters) == []
    sizes = [len(each["Entries"]) for each in canned.requests["SendMessageBatch"]]
    assert sizes == [2, 2, 1]


async def test_what_was_sent_is_not_sent_again_for_the_rest(
    canned: CannedAws, queue: SqsQueue
) -> None:
    """When a later part of a batch gets no answer its letters alone have failed for now."""
    confirm(canned, 2)
    canned.always["SendMessageBatch"] = refusal("ServiceUnavailable", status=503)
    letters = [letter(str(n), "x" * 120_000) for n in range(3)]
    assert await queue.dead_letter(letters) == [Failure("2", "Unavailable", permanent=False)]


async def test_when_nothing_was_sent_the_call_has_failed(
    canned: CannedAws, queue: SqsQueue
) -> None:
    """A dead-letter queue that does not answer is unavailable."""
    canned.always["SendMessageBatch"] = refusal("KmsDisabled")
    with pytest.raises(Unavailable, match="KmsDisabled"):
        await queue.dead_letter([letter("a", "{}")])


async def test_a_failed_letter_is_named(canned: CannedAws, queue: SqsQueue) -> None:
    """A letter that the dead-letter queue refuses is a failure of that message."""
    canned.always["SendMessageBatch"] = Answer(
        {
            "Successful": [_sent(0)],
            "Failed": [{"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True}],
        }
    )
    failures = await queue.dead_letter([letter("a", "{}"), letter("b", "{}")])
    assert failures == [Failure("b", "InvalidMessageContents", permanent=True)]


async def test_opening_while_nobody_listens_is_unavailable(opening: Opening) -> None:
    """A service that is not there yet is waited for, not a mistake in the setup."""
    with pytest.raises(Unavailable, match="cannot be reached"):
        async with opening(f"http://127.0.0.1:{free_port()}"):
            pass


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal("AccessDenied", status=403), "lacks the permission"),
        (refusal("InvalidClientTokenId", status=403), "does not accept our credentials"),
        (refusal("RequestThrottled"), "too often"),
        (Answer("<html>"), "unreadable"),
        (Answer({"Attributes": {}}), "unreadable"),
    ],
)
async def test_opening_with_another_refusal_is_unavailable(
    canned: CannedAws, answer: Answer, says: str, opening: Opening
) -> None:
    """What may pass, or be repaired elsewhere, is no mistake in the setup."""
    canned.always["GetQueueAttributes"] = answer
    with pytest.raises(Unavailable, match=says):
        async with opening(canned.url):
            pass


async def test_without_credentials_nothing_can_be_asked(
    canned: CannedAws, monkeypatch: pytest.MonkeyPatch, opening: Opening
) -> None:
    """Missing credentials are named, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(Unavailable, match="no AWS credentials were found"):
        async with opening(canned.url):
            pass


async def test_without_a_region_the_remedy_is_named(
    canned: CannedAws, monkeypatch: pytest.MonkeyPatch, opening: Opening
) -> None:
    """A missing region is a mistake in the setup."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(QueueSetupError, match="Set AWS_REGION"):
        async with opening(canned.url):
            pass


@pytest.mark.parametrize(
    "regions",
    [
        {"AWS_REGION": "eu-north-1"},
        {"AWS_DEFAULT_REGION": "eu-north-1"},
        {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-west-1"},
    ],
)
async def test_the_region_comes_from_the_environment(
    canned: CannedAws, monkeypatch: pytest.MonkeyPatch, regions: dict[str, str], opening: Opening
) -> None:
    """Either variable will do, and AWS_REGION comes first."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    for name, region in regions.items():
        monkeypatch.setenv(name, region)
    canned.always["GetQueueAttributes"] = refusal("QueueDoesNotExist")
    with pytest.raises(QueueSetupError, match="asked in eu-north-1"):
        async with opening(canned.url):
            pass


@pytest.mark.parametrize("policy", ["no JSON", "[]", "null"])
async def test_a_redrive_policy_that_cannot_be_read_is_none(
    canned: CannedAws, policy: str, opening: Opening
) -> None:
    """The queue works without, and the check tells."""
    canned.always["GetQueueAttributes"] = Answer(
        {"Attributes": ATTRIBUTES | {"RedrivePolicy": policy}}
    )
    async with opening(canned.url) as queue:
        (warning,) = queue.warnings
    assert "no redrive policy" in warning


async def test_a_dead_letter_queue_that_we_may_not_look_up(
    canned: CannedAws, opening: Opening
) -> None:
    """A missing permission to find the queue's URL is told as such."""
    policy = '{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead"}'
    canned.always["GetQueueAttributes"] = Answer(
        {"Attributes": ATTRIBUTES | {"RedrivePolicy": policy}}
    )
    canned.always["GetQueueUrl"] = refusal("AccessDenied", status=403)
    with pytest.raises(Unavailable, match="GetQueueUrl"):
        async with opening(canned.url, dead_url=None):
            pass
    assert canned.requests["GetQueueUrl"] == [
        {"QueueName": "dead", "QueueOwnerAWSAccountId": "123456789012"}
    ]


async def test_an_unknown_profile_is_unavailable(
    canned: CannedAws, monkeypatch: pytest.MonkeyPatch, opening: Opening
) -> None:
    """What botocore cannot read from its own configuration is told."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Unavailable, match="ProfileNotFound"):
        async with opening(canned.url):
            pass

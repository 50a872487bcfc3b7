"""The DynamoDB adapter and every odd answer that an endpoint can give, on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from random import Random
from typing import Any

import pytest
from integration.canned_aws import CREDENTIALS, Answer, CannedAws, refusal

from ingestor.adapters.dynamodb import DynamoDbMetadata, TableSetupError, open_dynamodb
from ingestor.adapters.dynamodb.lookup import ATTEMPTS, FETCH_SECONDS
from ingestor.adapters.memory import FakeClock
from ingestor.ports import Unavailable
from loadtest.servers import free_port

TABLE = "demo-DeviceMetaData"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


class HastyClock(FakeClock):
    """Virtual time in which every sleep is over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Note how long, and move time on."""
        self.slept.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> HastyClock:
    """Virtual time."""
    return HastyClock()


@pytest.fixture
async def canned() -> AsyncIterator[CannedAws]:
    """An endpoint."""
    async with CannedAws() as server:
        yield server


def opening(url: str, clock: FakeClock) -> Any:
    """The adapter, in front of that endpoint."""
    return open_dynamodb(
        table=TABLE,
        key_attribute="metakey",
        clock=clock,
        random=Random(1),  # noqa: S311 - chance, not secrets
        endpoint_url=url,
    )


@pytest.fixture
async def store(canned: CannedAws, clock: HastyClock) -> AsyncIterator[DynamoDbMetadata]:
    """The adapter in front of the canned endpoint."""
    async with opening(canned.url, clock) as opened:
        yield opened


def found(*keys: str, left: Iterable[str] = ()) -> Answer:
    """Records of `keys`, while the keys in `left` were not processed."""
    unprocessed = [{"metakey": {"S": key}} for key in left]
    return Answer(
        {
            "Responses": {TABLE: [{"metakey": {"S": key}} for key in keys]},
            "UnprocessedKeys": {TABLE: {"Keys": unprocessed}} if unprocessed else {},
        }
    )


def asked(canned: CannedAws) -> list[list[str]]:
    """The keys of every call."""
    return [
        [key["metakey"]["S"] for key in request["RequestItems"][TABLE]["Keys"]]
        for request in canned.requests["BatchGetItem"]
    ]


async def test_reads_eventually_consistent_by_distinct_keys(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """One call asks for each key once, at half the price."""
    canned.always["BatchGetItem"] = found("a")
    answers = await store.fetch(["a", "b", "a"])
    assert {key: each is not None for key, each in answers.items()} == {"a": True, "b": False}
    assert asked(canned) == [["a", "b"]]
    assert "ConsistentRead" not in canned.requests["BatchGetItem"][0]["RequestItems"][TABLE]


async def test_unprocessed_keys_are_asked_for_again(
    canned: CannedAws, store: DynamoDbMetadata, clock: HastyClock
) -> None:
    """After a growing pause the keys that were left are asked for, and only they."""
    canned.answers["BatchGetItem"] += [
        found("a", left=["b", "c"]),
        found("b", left=["c"]),
        found(),
    ]
    answers = await store.fetch(["a", "b", "c"])
    assert {key: each is not None for key, each in answers.items()} == {
        "a": True,
        "b": True,
        "c": False,
    }
    assert asked(canned) == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert 0.025 <= clock.slept[0] <= 0.05 <= clock.slept[1] <= 0.1


async def test_keys_that_stay_unprocessed_are_not_answered(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """Unknown is not missing: they are absent, and the asking ends."""
    canned.always["BatchGetItem"] = found("a", left=["b"])
    assert set(await store.fetch(["a", "b"])) == {"a"}
    assert len(asked(canned)) == ATTEMPTS


async def test_asking_again_ends_in_time(canned: CannedAws) -> None:
    """When calls are slow the number of attempts is not the limit, the time is."""

    class SlowClock(HastyClock):
        def monotonic(self) -> float:
            self._now += FETCH_SECONDS / 2
            return super().monotonic()

    canned.always["BatchGetItem"] = found("a", left=["b"])
    async with opening(canned.url, SlowClock()) as store:
        assert set(await store.fetch(["a", "b"])) == {"a"}
    assert len(asked(canned)) < ATTEMPTS


async def test_when_all_keys_stay_unprocessed_nothing_was_answered(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """A table that processes no key at all is unavailable."""
    canned.always["BatchGetItem"] = found(left=["a", "ingestor-check"])
    with pytest.raises(Unavailable, match="unprocessed"):
        await store.fetch(["a"])


@pytest.mark.parametrize(
    "stuck", [found(left=["a"]), refusal("ProvisionedThroughputExceededException")]
)
async def test_a_key_that_is_stuck_is_no_outage(clock: HastyClock, stuck: Answer) -> None:
    """A table that answers for another key is there: nothing is said of this one alone."""

    class OneStuckKey(CannedAws):
        def choose(self, operation: str, request: dict[str, Any]) -> Answer:  # noqa: ARG002 - its place
            keys = request["RequestItems"][TABLE]["Keys"]
            return stuck if {"metakey": {"S": "a"}} in keys else found()

    async with OneStuckKey() as canned, opening(canned.url, clock) as store:
        assert await store.fetch(["a"]) == {}
        assert asked(canned)[-1] == ["ingestor-check"]


async def test_what_was_answered_before_a_failure_counts(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """A failure while asking for the rest leaves the rest unanswered, nothing more."""
    canned.answers["BatchGetItem"] += [found("a", left=["b"])]
    canned.always["BatchGetItem"] = refusal("InternalServerError", status=500)
    assert set(await store.fetch(["a", "b"])) == {"a"}


async def test_one_failed_call_leaves_the_others(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """Of several calls for many keys the answered ones count."""
    canned.answers["BatchGetItem"] += [found()]
    canned.always["BatchGetItem"] = refusal("InternalServerError", status=500)
    answers = await store.fetch([f"k{n}" for n in range(250)])
    assert 0 < len(answers) <= 100
    assert set(answers.values()) == {None}


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("ProvisionedThroughputExceededException", 400, "asked too often"),
        ("ThrottlingException", 400, "asked too often"),
        ("InternalServerError", 500, "HTTP 500"),
        ("ResourceNotFoundException", 400, "ResourceNotFoundException"),
        ("UnrecognizedClientException", 400, "does not accept our credentials"),
        ("AccessDeniedException", 400, "lacks the permission"),
    ],
)
async def test_a_refused_call_is_unavailable(
    canned: CannedAws, store: DynamoDbMetadata, code: str, status: int, says: str
) -> None:
    """Whatever the reason, nothing is known about the keys."""
    canned.always["BatchGetItem"] = refusal(code, status=status)
    with pytest.raises(Unavailable, match=says):
        await store.fetch(["a"])


@pytest.mark.parametrize(
    "body",
    ["<html>oh no</html>", "", "[]", "null", "{}", f'{{"Responses": {{"{TABLE}": [{{}}]}}}}'],
)
async def test_an_unreadable_answer_is_unavailable(
    canned: CannedAws, store: DynamoDbMetadata, body: str
) -> None:
    """An answer without a list of records does not say that there are none."""
    canned.always["BatchGetItem"] = Answer(body)
    with pytest.raises(Unavailable, match="unreadable"):
        await store.fetch(["a"])


async def test_nobody_listens(clock: HastyClock) -> None:
    """A service that cannot be reached is unavailable."""
    async with opening(f"http://127.0.0.1:{free_port()}", clock) as store:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await store.fetch(["a"])


class Particular(CannedAws):
    """Refuses every call that asks for the key `bad`."""

    def choose(self, operation: str, request: dict[str, Any]) -> Answer:
        """See CannedAws."""
        assert operation == "BatchGetItem"
        keys = [each["metakey"]["S"] for each in request["RequestItems"][TABLE]["Keys"]]
        if "bad" in keys:
            return refusal("ValidationException", message="One or more parameter values")
        return found(*keys)


async def test_a_key_that_is_not_accepted_hurts_no_other(clock: HastyClock) -> None:
    """The others are answered; the guilty one certainly has no record."""
    keys = [*(f"k{n}" for n in range(70)), "bad", *(f"k{n}" for n in range(70, 99))]
    async with Particular() as server, opening(server.url, clock) as store:
        answers = await store.fetch(keys)
        assert set(answers) == set(keys)
        assert [key for key, each in answers.items() if each is None] == ["bad"]
        assert len(asked(server)) < 20


async def test_a_refused_key_alone_proves_nothing(clock: HastyClock) -> None:
    """As long as no call was ever accepted the fault may be in how we ask."""
    async with Particular() as server, opening(server.url, clock) as store:
        with pytest.raises(Unavailable, match="ValidationException"):
            await store.fetch(["bad"])
        await store.fetch(["good"])
        assert await store.fetch(["bad"]) == {"bad": None}


async def test_a_wrong_key_attribute_is_never_a_missing_record(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """A table with another key answers nothing, and is asked once."""
    canned.always["BatchGetItem"] = refusal(
        "ValidationException", message="The provided key element does not match the schema"
    )
    with pytest.raises(Unavailable, match="is not the string metakey"):
        await store.fetch(["a", "b", "c"])
    assert len(asked(canned)) == 1


async def test_without_a_region_the_remedy_is_named(
    canned: CannedAws, clock: HastyClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing region is a mistake in the setup."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(TableSetupError, match="Set AWS_REGION"):
        async with opening(canned.url, clock):
            pass


async def test_check_without_permission_is_unavailable(
    canned: CannedAws, store: DynamoDbMetadata
) -> None:
    """Who may not describe the table is told so."""
    canned.always["DescribeTable"] = refusal("AccessDeniedException")
    with pytest.raises(Unavailable, match="DescribeTable"):
        await store.check()

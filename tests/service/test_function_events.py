"""The function on real servers, called as Lambda calls it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import pytest
from service.conftest import Site, reading

from ingestor.lambda_handler.function import Function, NotStored
from loadtest.proxy.http import Reply, Request
from loadtest.proxy.server import FaultProxy, aws_operation, influxdb_operation

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

KEYS = 200


class Invocation:
    """Lambda's context, with so many seconds left."""

    def __init__(self, seconds: float) -> None:
        self.aws_request_id = "i-1"
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """See Lambda's context."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class Called:
    """The function in front of a proxy for AWS and one for InfluxDB, which count what is asked."""

    def __init__(self, site: Site) -> None:
        stack = site.stack
        self.function: Function
        self.calls: Counter[str] = Counter()
        self.keys: list[str] = []
        self.writes = 0
        self.breaks_after: int | None = None
        self.aws = FaultProxy(lambda: stack.ministack.url, aws_operation, self._asked)
        self.influxdb = FaultProxy(lambda: stack.influxd.url, influxdb_operation, self._written)

    def _asked(self, request: Request, reply: Reply) -> None:
        del reply
        operation = aws_operation(request)
        self.calls[operation] += 1
        if operation == "BatchGetItem":
            [(_, wanted)] = json.loads(request.body)["RequestItems"].items()
            self.keys += [key["metakey"]["S"] for key in wanted["Keys"]]

    def _written(self, request: Request, reply: Reply) -> None:
        del reply
        self.writes += influxdb_operation(request) == "write"
        self.influxdb.down = self.writes == self.breaks_after

    async def __call__(self, event: Any, *, seconds: float = 240) -> dict[str, Any]:
        """One invocation."""
        return await asyncio.to_thread(self.function, event, Invocation(seconds))


@asynccontextmanager
async def called(site: Site, **variables: str) -> AsyncIterator[Called]:
    """The function with further settings, named without `INGESTOR_`."""
    one = Called(site)
    async with one.aws, one.influxdb:
        environment = {
            **site.stack.environment(),
            "INGESTOR_INFLUXDB_URL": one.influxdb.url,
            "INGESTOR_LOG_LEVEL": "error",
            # A logger is known by this name, and keeps the output that was there when it was made.
            "AWS_LAMBDA_FUNCTION_NAME": f"ingestor-{token_hex(4)}",
            **{f"INGESTOR_{name}": value for name, value in variables.items()},
        }
        aws = {n: v for n, v in environment.items() if n.startswith("AWS_")}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (aws | {"AWS_ENDPOINT_URL": one.aws.url}).items():
                patch.setenv(name, value)  # the chain of the AWS clients reads the process's own
            one.function = Function(environment)
            try:
                yield one
            finally:
                await asyncio.to_thread(one.function.close)


def event(bodies: Mapping[str, str], *, receives: int = 1) -> dict[str, Any]:
    """An event of a queue: bodies by message id."""
    about = {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": str(receives)}
    return {
        "Records": [
            {
                "messageId": message_id,
                "receiptHandle": f"handle-{message_id}",
                "body": body,
                "attributes": about,
                "eventSource": "aws:sqs",
            }
            for message_id, body in bodies.items()
        ]
    }


def failed(answer: Mapping[str, Any]) -> list[str]:
    """The ids that an answer names."""
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


async def put_records(site: Site) -> None:
    """Records `k-0` and so on, in the table."""
    async with site.stack.client("dynamodb") as dynamodb:
        for n in range(KEYS):
            item = {"metakey": {"S": f"k-{n}"}, "family": {"S": "transmitters"}}
            await dynamodb.put_item(TableName="demo-DeviceMetaData", Item=item)


async def test_ten_thousand(site: Site) -> None:
    """Later comes again, poison is dead-lettered, the rest is stored; each key is asked for once.

    Of every hundred messages one is poison and one names a record that is not there yet.
    """
    await put_records(site)
    poison = {f"m-{n}": f"poison {n}" for n in range(10_000) if n % 100 == 50}
    later = {f"m-{n}": reading(n, metakey=f"later-{n}") for n in range(10_000) if n % 100 == 99}
    good = {f"m-{n}": reading(n, metakey=f"k-{n % KEYS}") for n in range(10_000)}
    bodies = good | poison | later
    mapping = site.stack.mapping.replace('missing = "write"', 'missing = "hold"')
    assert mapping != site.stack.mapping
    async with called(site, MAPPING=mapping) as function:
        answer = await function(event(bodies))
        calls, keys = function.calls["BatchGetItem"], list(function.keys)
        function.keys.clear()
        again = await function(event(dict(list(good.items())[:10])))

    assert sorted(failed(answer)) == sorted(later)
    wanted = {f"m-{n}" for n in range(10_000)} - set(poison) - set(later)
    assert await site.sequences() == sorted(int(each[2:]) for each in wanted)
    letters = await site.stack.take_dead_letters()
    assert sorted(each.body for each in letters) == sorted(poison.values())
    assert {each.why.split()[1] for each in letters} == {"not-json"}
    # Each key once, and all of them together: 196 records and 100 that are missing, in calls of a
    # hundred keys.
    asked = {f"k-{n % KEYS}" for n in range(10_000) if n % 100 not in {50, 99}}
    assert sorted(keys) == sorted(asked | {f"later-{m[2:]}" for m in later})
    assert calls == 3
    # The cache is warm at the next invocation.
    assert (again, function.keys) == ({"batchItemFailures": []}, [])


async def test_time_is_up_in_the_middle(site: Site) -> None:
    """What is not named at the deadline is stored; what is named comes again and hurts nobody."""
    bodies = {f"m-{n}": reading(n) for n in range(1_000)}
    async with called(site, BATCH_LINES="100", WRITERS="1") as function:
        await function(event({"first": reading(1_000)}))  # opens everything, in its own time
        function.breaks_after = function.writes + 3
        answer = await function(event(bodies), seconds=10)
        undone = failed(answer)
        stored = {f"m-{n}" for n in await site.sequences()}

        assert 0 < len(undone) < len(bodies)
        assert set(bodies) - set(undone) <= stored
        function.breaks_after, function.influxdb.down = None, False

        assert failed(await function(event({each: bodies[each] for each in undone}))) == []
    assert await site.sequences() == list(range(1_001))
    assert await site.stack.take_dead_letters() == []


async def test_an_outage(site: Site) -> None:
    """All of a queue's messages are named, a rule's raise, and the same function goes on after."""
    async with called(site) as function:
        function.influxdb.down = True
        assert failed(await function(event({"m-1": reading(1)}), seconds=3)) == ["m-1"]
        with pytest.raises(NotStored, match="1 of 1 readings"):
            await function(json.loads(reading(2)), seconds=3)
        function.influxdb.down = False

        assert failed(await function(event({"m-1": reading(1)}))) == []
        assert await function(json.loads(reading(2))) == {}
    assert await site.sequences() == [1, 2]


async def test_what_failed_before_stays_away_for_longer(site: Site) -> None:
    """Messages that come for the third time and fail again are told to stay away, by tens."""
    bodies = {f"m-{n}": reading(n) for n in range(25)}
    async with called(site) as function:
        assert failed(await function(event({"m-0": bodies["m-0"]}))) == []
        function.influxdb.down = True

        assert sorted(failed(await function(event(bodies, receives=3), seconds=4))) == sorted(
            bodies
        )

    assert function.calls["ChangeMessageVisibilityBatch"] == 3


async def test_connections_are_kept_and_outlive_a_freeze(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything is opened once; connections that died meanwhile cost nothing but a repetition.

    Figures are told once per invocation, in the embedded format.
    """
    async with called(site, LOG_LEVEL="info") as function:
        await function(event({"m-1": reading(1)}))
        opened = function.calls["GetQueueAttributes"]
        function.aws.cut()
        function.influxdb.cut()
        answer = await function(event({"m-2": reading(2), "m-3": "poison"}))

    assert failed(answer) == []
    assert opened == function.calls["GetQueueAttributes"] > 0
    assert await site.sequences() == [1, 2]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = [each for each in told if "_aws" in each]
    assert [(each["Received"], each["Stored"], each["Rejected"]) for each in figures] == [
        ([1], [1], [0]),
        ([2], [1], [1]),
    ]
    assert len([each for each in told if each.get("message") == "event processed"]) == 2

"""Rows 21 to 23 and 29: a table that answers for a part, for nothing, or not as before."""

import pytest
from faults.conftest import LONG_SECONDS, Ground
from faults.records import families, put
from service.conftest import RECORD, reading
from support.figures import figures

from loadtest.proxy import FakeSuccess, FaultProxy, Status, UnprocessedKeys

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="session")]

THROTTLED = Status(
    400,
    "table-throttled",
    body=b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",'
    b'"message":"The level of configured provisioned throughput for the table was exceeded."}',
)


@pytest.fixture
def table(ground: Ground) -> FaultProxy:
    """The proxy before the table."""
    return ground.site.proxies["dynamodb"]


async def test_f21_unprocessed_keys(ground: Ground, table: FaultProxy) -> None:
    """With a third of all keys left unprocessed every reading gets its own record's tags."""
    for _ in range(20):
        table.arm(UnprocessedKeys(3), "BatchGetItem", times=2)
    async with ground.stack.client("dynamodb") as dynamodb:
        for n in range(60):
            await put(dynamodb, f"f21-{n}", f"family-{n}")
    async with ground.service() as service:
        await ground.send(*(reading(n, metakey=f"f21-{n}") for n in range(60)))
        await ground.until_empty()
        said = await figures(service.url)
        await service.finish()

    assert table.applied["unprocessed-keys"] >= 2
    assert await families(ground) == {n: f"family-{n}" for n in range(60)}
    assert said["ingestor_without_metadata_total"] == 0
    assert said["ingestor_cache_negative_hits"] == 0


async def test_f22_one_key_is_never_processed(ground: Ground, table: FaultProxy) -> None:
    """Readings of a key that DynamoDB never answers for wait, and nobody with them."""
    await ground.visibility(LONG_SECONDS)
    stuck = UnprocessedKeys(1, only=RECORD)
    table.arm(stuck, "BatchGetItem", times=100_000)
    async with ground.stack.client("dynamodb") as dynamodb:
        await put(dynamodb, "f22", "free")
    async with ground.service() as service:
        # Alone at first: nothing else shows then that the table itself is there.
        await ground.send(reading(100), reading(101))
        await ground.until(lambda: table.requests >= 12)
        assert await service.ready()
        for start in range(0, 30, 10):
            await ground.send(*(reading(start + n, metakey="f22") for n in range(10)))
            await ground.until_stored(start + 10)
        # Between two looks at the table; while it is asked nobody waits to ask.
        await ground.until_gauge(service, "ingestor_waiting_for_metadata", 2)
        await service.scrape()
        assert service.gauge("ingestor_window_messages") == 2
        assert await ground.sequences() == list(range(30))
        table.disarm()
        await ground.until_empty()
        await service.finish()

    found = await families(ground)
    assert found.keys() == {*range(30), 100, 101}
    assert found[100] == found[101] == "transmitters"
    assert ground.site.custody.redelivered == 0
    assert await ground.stack.take_dead_letters() == []


async def test_f23_the_whole_table_is_throttled(ground: Ground, table: FaultProxy) -> None:
    """While the whole table is throttled nothing is deleted or stored, and receiving stops."""
    await ground.visibility(LONG_SECONDS)
    table.arm(THROTTLED, "BatchGetItem", times=100_000)
    async with ground.service() as service:
        await ground.until(lambda: ground.influxdb.requests)
        await ground.send(*(reading(n) for n in range(100)))
        await ground.until_not_ready(service, "it is asked too often")
        await ground.send(*(reading(n) for n in range(100, 200)))
        requests = table.requests
        await ground.until(lambda: table.requests >= requests + 4)
        backlog = await ground.stack.backlog()
        assert backlog.waiting + backlog.in_flight == 200
        assert backlog.waiting >= 60  # polls under way may bring ten each
        assert await ground.sequences() == []
        table.disarm()
        await ground.until_empty()
        await service.finish()

    assert await families(ground) == dict.fromkeys(range(200), "transmitters")
    assert ground.site.custody.redelivered == 0
    assert await ground.stack.take_dead_letters() == []


async def test_f29_metadata_changes_between_deliveries(ground: Ground) -> None:
    """A reading delivered again with another record is a second point, told by `redelivered`."""
    ground.sqs.arm(FakeSuccess(), "DeleteMessageBatch")
    async with ground.stack.client("dynamodb") as dynamodb:
        await put(dynamodb, "f29", "before")
        async with ground.service() as service:
            await ground.send(reading(1, metakey="f29"))
            await ground.until_stored(1)
            await put(dynamodb, "f29", "after")
            await ground.until_stored(2)
            await ground.until_empty()
            said = await figures(service.url)
            await service.finish()

    rows = await ground.stack.influxd.query_influxql("SELECT sequence, family FROM pressure")
    assert {row["family"] for row in rows} == {"before", "after"}
    assert len({row["time"] for row in rows}) == 1
    assert [row["sequence"] for row in rows] == [1, 1]
    assert said["ingestor_redelivered_total"] == 1

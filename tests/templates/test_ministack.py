"""All stacks on MiniStack, twice, by the commands of the README and by `make deploy`.

Both environments are made once for all tests; the one that deletes comes last.
"""

import json
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiobotocore.session import AioSession
from rich.console import Console
from support.cloudformation import IMAGES, Emulator, finished, options

from cfn.plan import TEMPLATES
from loadtest.demo import Demo, Options
from loadtest.interrupts import interrupts
from loadtest.ledger.book import Book
from loadtest.records import RECORDS
from loadtest.servers import Influxd, MiniStack
from loadtest.service import Service
from loadtest.stack import Stack
from loadtest.toolchain import FoundInfluxd

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("cloudformation"),
    pytest.mark.timeout(300),  # 16 stacks, twice, by a command line that needs a second to start
]

BY_HAND, BY_TOOL = "demo", "second-1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[MiniStack]:
    """An account of our own: both environments listen to the same topic."""
    async with MiniStack() as running:
        yield running


@pytest.fixture(scope="module")
def account(server: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """The account with both environments in it, made at the same time."""
    emulator = Emulator(server, tmp_path_factory.mktemp("account"))
    both = [
        emulator.start_readme(BY_HAND),
        emulator.start("deploy", BY_TOOL, *options()),
    ]
    words = [finished(process) for process in both]
    (emulator.folder / "tool.txt").write_text(words[1])
    return emulator


def test_all_stacks_are_made(account: Emulator) -> None:
    """The README's commands and the tool make every stack of an environment each."""
    expected = {
        f"{environment}-{template}": "CREATE_COMPLETE"
        for environment in (BY_HAND, BY_TOOL)
        for template in TEMPLATES
    }

    assert account.stacks() == expected


def test_plan_comes_first(account: Emulator) -> None:
    """The tool says where and what before it does anything."""
    words = (account.folder / "tool.txt").read_text()

    assert words.startswith(f"{BY_TOOL}: {len(TEMPLATES)} stacks, account 000000000000, region ")
    assert words.index("NatGateways=none") < words.index(f"{BY_TOOL}-network …")
    assert words.rstrip().endswith("Done.")


def test_environments_share_nothing(account: Emulator) -> None:
    """Nothing that one environment has is the other's."""
    for template in ("network", "queue", "influxdb-service"):
        here = account.resources(f"{BY_HAND}-{template}")
        there = account.resources(f"{BY_TOOL}-{template}")

        assert here.keys() == there.keys()
        assert set(here.values()).isdisjoint(there.values())


def test_outputs(account: Emulator) -> None:
    """Outputs are what the next step needs, and what was asked for stands in the resources."""
    queue = account.outputs(f"{BY_HAND}-queue")
    assert queue["QueueName"] == "demo-readings"
    assert account.outputs(f"{BY_HAND}-metadata")["Table"] == "demo-DeviceMetaData"
    assert account.outputs(f"{BY_TOOL}-influxdb-service")["Url"] == f"http://influx.{BY_TOOL}:8086"
    rule = account.outputs(f"{BY_TOOL}-iot-rule")
    assert rule["BasicIngestTopic"] == "$aws/rules/second_1_ingest/pressure/data"
    ecs = account.client("ecs")
    name = account.outputs(f"{BY_HAND}-ingestor-service")["Service"]
    [service] = ecs.describe_services(cluster=BY_HAND, services=[name])["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
    [container] = task["taskDefinition"]["containerDefinitions"]
    environment = {each["name"]: each["value"] for each in container["environment"]}
    assert container["image"] == IMAGES["ingestor"]
    assert environment["INGESTOR_QUEUE_URL"] == queue["QueueUrl"]
    assert environment["INGESTOR_INFLUXDB_URL"] == "http://influx.demo:8086"


def test_walk_through_ends_with_a_reading(account: Emulator) -> None:
    """What the README puts and publishes is in the table and in the queue."""
    found = account.client("dynamodb").get_item(
        TableName="demo-DeviceMetaData", Key={"metakey": {"S": "123456789"}}
    )
    assert found["Item"]["manufacturer"] == {"S": "Acme Devices Ltd."}

    sqs, queue = account.client("sqs"), account.outputs(f"{BY_HAND}-queue")["QueueUrl"]
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["metakey"] == "123456789"
    assert json.loads(message["Body"])["topic"] == "pressure/data"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


@pytest.mark.asyncio(loop_scope="session")
async def test_main_job(
    account: Emulator, server: MiniStack, found_influxd: FoundInfluxd, tmp_path: Path
) -> None:
    """On the queue, rule and table that CloudFormation made, every reading is stored, enriched."""
    outputs = account.outputs(f"{BY_HAND}-queue")
    clients: list[Any] = [AioSession().create_client(
        name, endpoint_url=server.url, region_name=server.region,
        aws_access_key_id="test", aws_secret_access_key="test",
    ) for name in ("sqs", "dynamodb")]  # fmt: skip
    # An InfluxDB of its own: in the shared one are points of other tests, which nobody sent here.
    async with (
        clients[0] as sqs,
        clients[1] as dynamodb,
        Influxd(found_influxd, api="v2") as influxd,
    ):
        # What the README has published is not the fleet's.
        await sqs.purge_queue(QueueUrl=outputs["QueueUrl"])
        for record in RECORDS:
            await dynamodb.put_item(TableName="demo-DeviceMetaData", Item=dict(record.item))
        stack = Stack(
            server,
            influxd,
            sqs,
            outputs["QueueUrl"],
            outputs["DeadLetterQueueUrl"],
            outputs["ErrorQueueUrl"],
        )
        choice = Options(duration_seconds=5, devices=20, kill=False, seed=7, api="v2")
        quiet = Console(file=StringIO())
        with interrupts() as signals, Book.create(tmp_path / "ledger.sqlite", {}) as book:
            async with Service(stack.environment()) as service:
                report = await Demo(choice, stack, service, book, quiet).run(signals)

    counts = report.counts
    assert counts.sent >= choice.devices
    assert counts.stored == counts.enriched == counts.sent
    assert counts.missing == counts.unexpected == counts.dead_lettered == 0


def test_stops_at_the_event_and_resumes(account: Emulator) -> None:
    """A stack that fails is named with its first failed event; mended, the same command goes on."""
    wanted = {"alerts", "metadata", "queue"}
    arguments = ["deploy", "third"]
    for template in TEMPLATES:
        if template not in wanted:
            arguments += ["--without", template]

    failing = account.start(*arguments, "--set", "metadata.AlertsStack=misspelt")
    words, _ = failing.communicate()
    assert failing.returncode == 1
    assert "third-metadata failed.\nMetadataThrottledAlarm (AWS::CloudWatch::Alarm): " in words
    assert "misspelt-Topic" in words
    assert "third-queue …" not in words

    words = finished(account.start(*arguments))
    assert "an earlier attempt had failed (ROLLBACK_COMPLETE) and is removed" in words
    assert words.rstrip().endswith("Done.")


def test_destroy_asks(account: Emulator) -> None:
    """Without an answer nothing is destroyed."""
    asking = account.start("destroy", BY_HAND)
    words, _ = asking.communicate()

    assert asking.returncode == 1
    assert f"Type {BY_HAND} to destroy it: Nothing was destroyed." in words


def test_destroy_leaves_nothing(account: Emulator) -> None:
    """All stacks of an environment go, with what they had made; its neighbour does not notice."""
    before = account.stacks()
    finished(account.start("destroy", BY_HAND, "--yes"))

    assert account.stacks() == {
        name: state for name, state in before.items() if not name.startswith(f"{BY_HAND}-")
    }
    left = {
        *account.client("dynamodb").list_tables()["TableNames"],
        *(rule["ruleName"] for rule in account.client("iot").list_topic_rules()["rules"]),
        *(url.rpartition("/")[2] for url in account.client("sqs").list_queues()["QueueUrls"]),
        *(each["Name"] for each in account.client("secretsmanager").list_secrets()["SecretList"]),
        *(g["logGroupName"] for g in account.client("logs").describe_log_groups()["logGroups"]),
    }
    assert f"{BY_TOOL}-readings" in left
    assert [name for name in left if name.lstrip("/").startswith(BY_HAND)] == []

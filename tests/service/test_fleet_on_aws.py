"""`loadtest fleet --way aws`, as far as MiniStack's control plane and TLS broker go for AWS."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from loadtest.devices.builtin import find_kinds
from loadtest.devices.metadata import make_records
from loadtest.devices.simulated import make_fleet
from loadtest.fleet.aws import find_endpoint, open_iot
from loadtest.fleet.certificates import issued
from loadtest.fleet.desk import Desk
from loadtest.fleet.progress import Progress
from loadtest.fleet.ways import Dial, Mqtt
from loadtest.resources import open_client
from loadtest.servers import MiniStack, ServerError

NAME = "loadtest-0123456789ab"
"""Of a run."""

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]


class Account:
    """An account of AWS, and a user who has credentials for it."""

    def __init__(self, ministack: MiniStack, folder: Path) -> None:
        self.ministack = ministack
        self.folder = folder

    def client(self, service: str) -> object:
        """A client of a service."""
        return open_client(service, url=self.ministack.url, region=self.ministack.region)

    async def left(self) -> tuple[int, int]:
        """How many certificates and policies there are."""
        async with self.client("iot") as iot:  # type: ignore[attr-defined] # a client of botocore
            certificates = await iot.list_certificates()
            policies = await iot.list_policies()
        return len(certificates["certificates"]), len(policies["policies"])

    async def collect(self) -> str:
        """The URL of a queue that a rule fills with all readings."""
        async with self.client("sqs") as sqs, self.client("iot") as iot:  # type: ignore[attr-defined] # as above
            url: str = (await sqs.create_queue(QueueName="readings"))["QueueUrl"]
            action = {"sqs": {"roleArn": "arn:aws:iam::000000000000:role/r", "queueUrl": url}}
            sql = "SELECT * FROM 'pressure/data'"
            payload = {"sql": sql, "awsIotSqlVersion": "2016-03-23", "actions": [action]}
            await iot.create_topic_rule(ruleName="readings", topicRulePayload=payload)
        return url

    async def readings(self, url: str) -> set[tuple[str, int]]:
        """Sensor and sequence of all that is in a queue."""
        found: set[tuple[str, int]] = set()
        async with self.client("sqs") as sqs:  # type: ignore[attr-defined] # as above
            while messages := (await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)).get(
                "Messages"
            ):
                for message in messages:
                    body = json.loads(message["Body"])
                    found.add((body["deviceid"] + body["clientid"], body["sequence"]))
        return found

    def options(self) -> list[str]:
        """For a run of five devices of the account."""
        endpoint = f"127.0.0.1:{self.ministack.mtls_port}"
        return ["--way", "aws", "--endpoint", endpoint, "--kind", "pressure", "--devices", "5"]

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """The command, as that user runs it."""
        authority = self.folder / "ca.pem"
        authority.write_text(await self.ministack.authority())
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtest", "fleet", *arguments),
            *("--report", str(self.folder / "fleet.json")),
            env=os.environ | self.ministack.environment() | {"SSL_CERT_FILE": str(authority)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def acknowledged(self) -> int:
        """How many readings the ledger says were confirmed."""
        path = self.folder / "fleet.sqlite"
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sent'").fetchone():
                return 0  # it is being made
            (count,) = db.execute("SELECT count(*) FROM sent WHERE acknowledged").fetchone()
        return int(count)


@pytest_asyncio.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    """A fresh account."""
    async with MiniStack(mtls=True) as ministack:
        yield Account(ministack, tmp_path)


async def test_a_run_leaves_nothing_behind(account: Account) -> None:
    """Everything is acknowledged over TLS; certificate and policy are gone at the end."""
    process = await account.start(*account.options(), "--duration", "3s")
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert account.acknowledged() == 15
    assert await account.left() == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_neither_does_one_that_is_interrupted(
    account: Account, number: signal.Signals
) -> None:
    """Twice the signal ends the run at once, and all the same what it made is deleted."""
    process = await account.start(*account.options(), "--duration", "10m")
    while not account.acknowledged():
        assert process.returncode is None
        await asyncio.sleep(0.05)
    assert await account.left() == (1, 1)
    process.send_signal(number)
    await asyncio.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):  # the first one may have been enough
        process.send_signal(number)
    output, _ = await process.communicate()

    assert "Traceback" not in output.decode()
    assert await account.left() == (0, 0)


async def test_a_signal_amid_the_cleaning_up_does_not_end_it(account: Account) -> None:
    """The run is cancelled while it deletes what it made: it deletes all of it before it ends."""
    authority = await account.ministack.authority()
    leaving = asyncio.Event()

    async def use() -> None:
        async with issued(account.client, NAME, authority):
            leaving.set()

    task = asyncio.create_task(use())
    await leaving.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await account.left() == (0, 0)


async def test_a_run_that_was_killed_goes_on(account: Account) -> None:
    """Killed twice, it still publishes all that its plan has, and its ledger has each reading once.

    The certificates of the killed runs are deleted by the one that goes on.
    """
    url = await account.collect()
    process = await account.start(*account.options(), "--rate", "4/s", "--duration", "5s")
    for acknowledged in (20, 60):
        while account.acknowledged() < acknowledged:
            assert process.returncode is None
            await asyncio.sleep(0.02)
        process.kill()
        await process.communicate()
        assert account.acknowledged() < 100
        assert await account.left() == (1, 1)
        process = await account.start("--resume")
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert account.acknowledged() == 100
    report = json.loads((account.folder / "fleet.json").read_text())
    assert 0 < report["resumed_at_s"] < 6
    assert report["schedule"]["due"] < 80  # what was acknowledged before is not sent again
    devices = make_fleet(find_kinds(["pressure"]), 5, make_records(5, seed=1), seed=1)
    everything = {(device.sensor, n) for device in devices for n in range(1, 21)}
    assert await account.readings(url) == everything
    assert await account.left() == (0, 0)


async def test_the_endpoint_is_looked_up(account: Account) -> None:
    """Where none is given AWS tells it; connections keep to the limits of AWS."""
    expected = await find_endpoint(account.client)
    assert "-ats.iot.us-east-1." in expected

    async with open_iot("", NAME, client=account.client) as dial:
        assert dial.host == expected.partition(":")[0]
        assert dial.most_per_second == 100
        assert dial.connects_per_second == 500
    async with open_iot("other.example", NAME, client=account.client) as dial:
        assert (dial.host, dial.port) == ("other.example", 8883)


async def test_a_certificate_is_good_for_its_run_alone(account: Account) -> None:
    """Devices have names that nobody else has, and none but those may connect."""
    ministack = account.ministack
    async with issued(account.client, NAME, await ministack.authority()) as certificate:
        assert certificate.prefix == f"{NAME}-"
        async with account.client("iot") as iot:  # type: ignore[attr-defined] # as above
            (policy,) = (await iot.list_policies())["policies"]
            document = (await iot.get_policy(policyName=policy["policyName"]))["policyDocument"]
    assert f":client/{certificate.prefix}*" in document
    assert "arn:aws:iot:us-east-1:" in document


async def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends with the reason, in words."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(ServerError, match="region"):
        async with open_iot("", NAME):
            pytest.fail("there is none")
    with pytest.raises(ServerError, match="region"):
        async with open_iot("there.example", NAME):
            pytest.fail("there is none")


async def test_connections_are_opened_no_faster_than_allowed() -> None:
    """Connects keep to their rate: the moments between them are measured on the broker's side."""
    moments: list[float] = []
    loop = asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        moments.append(loop.time())
        await reader.read(1_024)
        writer.write(b"\x20\x02\x00\x00")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        dial = Dial("127.0.0.1", server.sockets[0].getsockname()[1], connects_per_second=20)
        way = Mqtt(Desk(Progress(), loop.time), dial, 10)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            running = group.create_task(way.run())
            await way.ready()
            running.cancel()

    assert len(moments) == 10
    assert moments[-1] - moments[0] >= 9 / 20 - 0.05

"""`loadtest fleet` on the whole local stack, by every way in."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from loadtest.fleet.certificates import issued
from loadtest.fleet.options import Options, WayIn
from loadtest.fleet.parsing import parse_duration, parse_profile, parse_rate
from loadtest.fleet.run import run_fleet
from loadtest.ledger.book import Book, BookError
from loadtest.resources import open_client
from loadtest.servers import MiniStack, ServerError
from loadtest.toolchain import FoundInfluxd

NAME = "loadtest-0123456789ab"
"""Of a run."""

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]

EVERYTHING = (
    "burst:seconds=1,every=4", "disorder", "late=10%", "duplicates=10%", "skew", "firmware",
    "poison=10%", "silent", "storm:every=2",
)  # fmt: skip


async def run(
    folder: Path, found: FoundInfluxd, way: WayIn, *profiles: str, **changes: Any
) -> tuple[dict[str, Any], str, int]:
    """Run a small fleet; its report as written, its page, and how many letters it was told of."""
    options = Options(
        **{
            "devices": 15,
            "rate": 2.0,
            "seconds": 4.0,
            "profiles": [parse_profile(text) for text in profiles],
            "kinds": ["pressure", "vehicle", "weather"],
            "way": way,
            "seed": 3,
            "records": 6,
            "connections": 2_000,
            "report": folder / "fleet.json",
            **changes,
        }
    )
    output = StringIO()
    result = await run_fleet(options, found, "v1", Console(file=output, width=200))
    result.write(options.report)
    written = json.loads(options.report.read_text())
    assert result.good == written["good"], output.getvalue()
    return written, options.page.read_text(), sum(written["verdict"]["letters"].values())


@pytest.mark.parametrize("way", [WayIn.WS, WayIn.MQTT, WayIn.SQS])
async def test_everything_at_once_is_exact(
    found_influxd: FoundInfluxd, tmp_path: Path, way: WayIn
) -> None:
    """All profiles together: each good reading is stored as sent, each bad one dead-lettered."""
    report, page, letters = await run(tmp_path, found_influxd, way, *EVERYTHING)
    fates = Counter(report["verdict"]["fates"])

    assert report["good"], report["verdict"]
    assert set(fates) == {"stored", "dead-lettered as expected"}
    assert fates.total() == report["verdict"]["sent"]
    assert fates["dead-lettered as expected"] > 3
    assert letters >= fates["dead-lettered as expected"]
    schedule = report["schedule"]
    assert schedule["due"] == schedule["acknowledged"] == fates.total() + schedule["copies"]
    assert schedule["silent"] > 0
    assert "<svg" in page


async def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """Killed half-way, with all its servers, it goes on from its ledger: the end is exact."""
    report = tmp_path / "fleet.json"

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "loadtest", "fleet", "--report", str(report))
        return await asyncio.create_subprocess_exec(
            *command, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def count(what: str) -> int:
        if not report.with_suffix(".sqlite").exists():
            return 0
        try:
            with Book(report.with_suffix(".sqlite")) as book:
                return book.count(what)
        except BookError:  # it is just being made
            return 0

    first = await start("--way", "mqtt", "--devices", "10", "--duration", "8s", "--poison", "5%")
    while count("acknowledged") < 30:
        assert first.returncode is None
        await asyncio.sleep(0.05)
    first.kill()
    await first.communicate()
    before = count("1")
    again = await start("--resume")
    output, _ = await again.communicate()

    assert again.returncode == 0, output.decode()
    assert before < count("1") == count("acknowledged") == 80
    written = json.loads(report.read_text())
    assert written["verdict"]["sent"] == 80
    assert written["options"]["way"] == "mqtt"
    assert written["resumed_at_s"] == 0  # the queue and InfluxDB of before are gone


async def test_tls_with_client_certificates(found_influxd: FoundInfluxd, tmp_path: Path) -> None:
    """Devices that share three connections come in by TLS with a certificate of AWS IoT's."""
    report, _, _ = await run(
        tmp_path, found_influxd, WayIn.MQTTS, connections=3, kinds=["vehicle", "weather"]
    )

    assert report["good"], report["verdict"]
    assert report["verdict"]["fates"] == {"stored": 120}


async def test_a_certificate_is_cleaned_up() -> None:
    """Certificate and policy exist while they are used, and not afterwards, also after an error."""
    async with MiniStack(mtls=True) as ministack:

        def client(service: str) -> Any:
            return open_client(service, url=ministack.url, region=ministack.region)

        async def there() -> tuple[int, int]:
            async with client("iot") as iot:
                certificates = await iot.list_certificates()
                policies = await iot.list_policies()
            return len(certificates["certificates"]), len(policies["policies"])

        authority = await ministack.authority()
        async with issued(client, NAME, authority):
            assert await there() == (1, 1)
        assert await there() == (0, 0)
        with pytest.raises(RuntimeError, match="the run fails"):
            async with issued(client, NAME, authority):
                raise RuntimeError("the run fails")
        assert await there() == (0, 0)


def refused(code: str, operation: str) -> ClientError:
    """What botocore raises for an error of this kind."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class SlowPolicies:
    """AWS IoT as far as certificates need it; a policy that was detached is in use for a while."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.calls: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to do."""

    def __getattr__(self, name: str) -> Any:
        async def call(**arguments: str) -> dict[str, Any]:
            self.calls.append(name)
            del arguments
            if name == "list_targets_for_policy":
                raise refused("ResourceNotFoundException", "ListTargetsForPolicy")
            if name == "delete_policy" and self.refusals:
                self.refusals -= 1
                raise refused("DeleteConflictException", "DeletePolicy")
            return {}

        return call


async def test_a_policy_that_is_still_in_use_is_deleted_later() -> None:
    """AWS may take minutes until a policy that was detached can be deleted."""
    real = MiniStack(mtls=True)
    async with real:

        def client(service: str) -> Any:
            return open_client(service, url=real.url, region=real.region)

        async with client("iot") as iot:
            made = await iot.create_keys_and_certificate(setAsActive=True)
        authority = await real.authority()

        class Slow(SlowPolicies):
            async def create_keys_and_certificate(self, **_: object) -> Any:
                return made

        slow = Slow(3)
        async with issued(lambda _: slow, NAME, authority, again_seconds=0.01):
            assert "delete_policy" not in slow.calls
        assert slow.calls.count("delete_policy") == 4
        assert slow.calls.index("detach_policy") < slow.calls.index("delete_certificate")


async def test_no_aws_no_certificate() -> None:
    """Where AWS IoT does not answer, the run ends with the reason."""

    def client(service: str) -> Any:
        return open_client(service, url="http://127.0.0.1:9", region="us-east-1")

    with pytest.raises(ServerError, match="AWS IoT gives no certificate"):
        async with issued(client, NAME):
            pytest.fail("there is none")


async def test_into_the_canned_queue(found_influxd: FoundInfluxd, tmp_path: Path) -> None:
    """Where nobody stores anything the report says how the schedule was kept, and no more."""
    options = Options(
        devices=5_000,
        rate=parse_rate("6/m"),
        seconds=parse_duration("2s"),
        profiles=[],
        kinds=["pressure"],
        way=WayIn.ANSWERER,
        seed=1,
        records=10,
        connections=1,
        report=tmp_path / "fleet.json",
    )
    result = await run_fleet(options, found_influxd, "v1", Console(file=StringIO()))
    content = result.as_dict()

    assert result.good
    assert content["verdict"] is None
    assert content["schedule"]["acknowledged"] == 1_000
    assert content["limit"]["name"]

"""`loadtest fleet` on the whole local stack, by every way in."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.fleet.certificates import issued
from loadtest.fleet.options import Options, WayIn, parse_duration, parse_rate
from loadtest.fleet.profiles import parse_profile
from loadtest.fleet.run import run_fleet
from loadtest.servers import MiniStack, ServerError
from loadtest.stack import open_client
from loadtest.toolchain import FoundInfluxd

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
        async with issued(client, authority):
            assert await there() == (1, 1)
        assert await there() == (0, 0)
        with pytest.raises(RuntimeError, match="the run fails"):
            async with issued(client, authority):
                raise RuntimeError("the run fails")
        assert await there() == (0, 0)


async def test_no_aws_no_certificate() -> None:
    """Where AWS IoT does not answer, the run ends with the reason."""

    def client(service: str) -> Any:
        return open_client(service, url="http://127.0.0.1:9", region="us-east-1")

    with pytest.raises(ServerError, match="AWS IoT gives no certificate"):
        async with issued(client):
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

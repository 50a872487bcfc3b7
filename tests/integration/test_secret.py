"""Secrets Manager: the present text of a secret, or why there is none."""

import pytest
from contracts.emulators import client, unique
from integration.canned_aws import CREDENTIALS, Answer, CannedAws

from ingestor.adapters.secretsmanager import SecretSetupError, read_secret
from ingestor.ports import Unavailable
from loadtest.servers import MiniStack, Moto

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["ministack", "moto"])
def emulator(request: pytest.FixtureRequest) -> MiniStack | Moto:
    """Each emulator that has secrets."""
    server: MiniStack | Moto = request.getfixturevalue(request.param)
    return server


async def test_present_text(emulator: MiniStack | Moto) -> None:
    """By name and by ARN it is what was put last."""
    where = {"endpoint_url": emulator.url, "region_name": emulator.region}
    async with client(emulator, "secretsmanager") as secrets:
        made = await secrets.create_secret(Name=unique("token"), SecretString="first")
        assert await read_secret(made["Name"], **where) == "first"

        await secrets.put_secret_value(SecretId=made["ARN"], SecretString="second")

        assert await read_secret(made["ARN"], **where) == "second"


async def test_no_such_secret(emulator: MiniStack | Moto) -> None:
    """What is not there may be there later: it is told, without the service's own words."""
    with pytest.raises(Unavailable, match="GetSecretValue with ResourceNotFoundException"):
        await read_secret(unique("token"), endpoint_url=emulator.url, region_name=emulator.region)


async def test_secret_without_a_text() -> None:
    """Bytes, or nothing, are a mistake of whoever stored them."""
    async with CannedAws() as aws:
        aws.always["GetSecretValue"] = Answer({"Name": "token", "SecretBinary": "AAAA"})

        with pytest.raises(SecretSetupError, match="The secret token holds no text"):
            await read_secret("token", endpoint_url=aws.url, region_name="eu-west-1")


async def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region nothing is asked."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    with pytest.raises(SecretSetupError, match="Set AWS_REGION"):
        await read_secret("token")

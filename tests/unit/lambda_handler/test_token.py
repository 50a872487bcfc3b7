"""The token by reference."""

import pytest

from ingestor.adapters.memory.clock import FakeClock
from ingestor.config import ConfigError
from ingestor.lambda_handler.clock import ThawedClock
from ingestor.lambda_handler.token import FRESH_SECONDS, SECRET_VARIABLE, Configuration
from ingestor.ports import Unavailable

ENVIRON = {
    "INGESTOR_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/readings",
    "INGESTOR_METADATA_TABLE": "demo-DeviceMetaData",
    "INGESTOR_INFLUXDB_URL": "http://influx.demo:8086",
    "INGESTOR_INFLUXDB_ORG": "factory",
    "INGESTOR_INFLUXDB_BUCKET": "telemetry",
}
BY_REFERENCE = ENVIRON | {SECRET_VARIABLE: "demo/influxdb-token"}


class Vault:
    """Holds one secret, and counts how often it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reads = 0
        self.down = False

    async def read(self, secret_id: str) -> str:
        """See ReadSecret."""
        assert secret_id == "demo/influxdb-token"
        if self.down:
            raise Unavailable("Secrets Manager is down")
        self.reads += 1
        return self.text


def token(configuration: Configuration) -> str:
    """What InfluxDB would be sent."""
    secret = configuration.settings.influxdb_token
    assert secret is not None
    return secret.get_secret_value()


async def test_read_once_then_when_it_is_old() -> None:
    """The secret is read at the first event, and again when five minutes have passed."""
    vault, clock = Vault("first"), FakeClock()
    configuration = Configuration(BY_REFERENCE, read=vault.read, clock=clock)
    assert vault.reads == 0

    assert await configuration.refresh()
    assert token(configuration) == "first"
    vault.text = "second"
    assert not await configuration.refresh()
    await clock.advance(FRESH_SECONDS)

    assert await configuration.refresh()
    assert token(configuration) == "second"
    await clock.advance(FRESH_SECONDS)
    assert not await configuration.refresh()  # read, and the same
    assert vault.reads == 3


async def test_read_at_once_when_it_is_refused() -> None:
    """After a refusal the next event does not wait until the token is old."""
    vault = Vault("first")
    configuration = Configuration(BY_REFERENCE, read=vault.read, clock=FakeClock())
    await configuration.refresh()
    vault.text = "second"

    configuration.distrust()

    assert await configuration.refresh()
    assert token(configuration) == "second"


async def test_secrets_manager_is_down() -> None:
    """The failure is told, and the next event asks again."""
    vault = Vault("first")
    vault.down = True
    configuration = Configuration(BY_REFERENCE, read=vault.read, clock=FakeClock())

    with pytest.raises(Unavailable):
        await configuration.refresh()
    vault.down = False

    assert await configuration.refresh()


async def test_secret_that_is_no_token() -> None:
    """What cannot be a token is a mistake that is told in words, without the text."""
    vault = Vault("first\nline")
    configuration = Configuration(BY_REFERENCE, read=vault.read, clock=FakeClock())

    with pytest.raises(ConfigError) as error:
        await configuration.refresh()

    assert "INGESTOR_INFLUXDB_TOKEN" in str(error.value)
    assert "first" not in str(error.value)


def test_other_mistakes_are_told_at_once() -> None:
    """Nothing is asked before the rest of the configuration is right."""
    with pytest.raises(ConfigError, match="INGESTOR_INFLUXDB_URL"):
        Configuration(
            BY_REFERENCE | {"INGESTOR_INFLUXDB_URL": "no"}, read=Vault("").read, clock=FakeClock()
        )


async def test_token_by_value() -> None:
    """Without a secret the environment's token is used, and nothing is asked."""
    vault = Vault("never")
    environ = ENVIRON | {"INGESTOR_INFLUXDB_TOKEN": "mine"}
    configuration = Configuration(environ, read=vault.read, clock=FakeClock())

    assert not await configuration.refresh()
    assert (token(configuration), vault.reads) == ("mine", 0)


def test_time_that_is_spent_frozen_counts() -> None:
    """The clock of what is kept follows the calendar, and never goes back."""
    now = [1_000.0]
    clock = ThawedClock(lambda: now[0])
    before = clock.monotonic()

    now[0] += 900  # frozen for a quarter of an hour
    assert clock.monotonic() - before == 900
    now[0] -= 60  # set back
    assert clock.monotonic() - before == 900

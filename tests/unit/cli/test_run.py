"""`ingestor run`, with a stand-in for the service."""

import pytest
from typer.testing import CliRunner

from ingestor.cli import app
from ingestor.cli.world import Examined, World
from ingestor.config import Settings

ENVIRON = {
    "INGESTOR_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/readings",
    "INGESTOR_METADATA_TABLE": "demo-DeviceMetaData",
    "INGESTOR_INFLUXDB_URL": "http://influxdb.internal:8086",
    "INGESTOR_INFLUXDB_ORG": "factory",
    "INGESTOR_INFLUXDB_BUCKET": "readings",
    "INGESTOR_INFLUXDB_TOKEN": "very-secret",
}


class Service:
    """Notes what it was started with, and ends as told."""

    def __init__(self, ends_with: int = 0) -> None:
        self.started_with: list[Settings] = []
        self._ends_with = ends_with

    def run(self, settings: Settings) -> int:
        """The whole life of the service."""
        self.started_with.append(settings)
        return self._ends_with

    async def examine(self, settings: Settings) -> list[Examined]:
        """Never wanted here."""
        raise NotImplementedError


@pytest.mark.parametrize("exit_code", [0, 1])
def test_the_service_gets_its_settings_and_gives_the_exit_status(exit_code: int) -> None:
    """The command adds nothing of its own."""
    service = Service(exit_code)

    result = CliRunner().invoke(app, ["run"], obj=World(ENVIRON, service.run, service.examine))

    assert result.exit_code == exit_code
    assert [settings.influxdb_org for settings in service.started_with] == ["factory"]
    assert result.output == ""


def test_with_a_wrong_configuration_nothing_is_started() -> None:
    """Every mistake stands on standard error with its remedy, and the exit status is 2."""
    service = Service()
    wrong = ENVIRON | {"INGESTOR_WRITERS": "0", "INGESTOR_POLLERS": "[red]"}

    result = CliRunner().invoke(app, ["run"], obj=World(wrong, service.run, service.examine))

    assert result.exit_code == 2
    assert service.started_with == []
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "The configuration has 2 mistakes:",
        (
            "- INGESTOR_POLLERS cannot be used: '[red]'. "
            "Set it to a whole number from 1 to 64, for example INGESTOR_POLLERS=4"
        ),
        (
            "- INGESTOR_WRITERS cannot be used: '0'. "
            "Set it to a whole number from 1 to 64, for example INGESTOR_WRITERS=4"
        ),
    ]

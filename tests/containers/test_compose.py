"""What `docker compose up` starts, read without Docker."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest.resources import TABLE

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = {"core", "dashboards", "load"}


def test_the_plain_command_starts_everything() -> None:
    """`docker compose up` needs no options: .env names all profiles, and holds nothing else."""
    lines = (DOCKER / ".env").read_text().splitlines()
    settings = [line for line in lines if not line.startswith("#")]

    assert settings == ["COMPOSE_PROFILES=core,dashboards,load"]
    assert {profile for each in SERVICES.values() for profile in each["profiles"]} == PROFILES


@pytest.mark.parametrize("name", SERVICES)
def test_a_profile_is_whole(name: str) -> None:
    """Whatever a service waits for is started with it."""
    service = SERVICES[name]
    for other in service.get("depends_on", {}):
        assert set(service["profiles"]) <= set(SERVICES[other]["profiles"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    """Anonymous viewers and a MiniStack without credentials are for nobody else."""
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_there_are_no_fixed_secrets() -> None:
    """Tokens and passwords come from files that the first start makes."""
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("TOKEN|PASSWORD|SECRET", name):
                assert value.startswith("/run/ingestor/") or value == "test", name
    assert not re.search("telemetry|admin-password|changeme", json.dumps(COMPOSE))


def test_services_wait_for_what_they_need() -> None:
    """Healthy, or done: never merely started."""
    conditions = {
        each["condition"]
        for service in SERVICES.values()
        for each in service.get("depends_on", {}).values()
    }

    assert conditions == {"service_healthy", "service_completed_successfully"}
    for service in SERVICES.values():
        for name, each in service.get("depends_on", {}).items():
            if each["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name]


def test_images_are_pinned() -> None:
    """A version for what is pulled, a Dockerfile of ours for what is built."""
    for service in SERVICES.values():
        if "image" in service:
            assert service["image"] == "influxdb:2.7"  # latest is InfluxDB 3
        else:
            assert (DOCKER.parent / service["build"]["dockerfile"]).is_file()


def test_the_service_is_told_of_what_is_prepared() -> None:
    """The names that `loadtest.elsewhere prepare` gives."""
    environment = SERVICES["ingestor"]["environment"]

    assert environment["INGESTOR_METADATA_TABLE"] == TABLE
    assert environment["INGESTOR_QUEUE_URL"].endswith("/demo-readings")
    assert environment["INGESTOR_DEAD_LETTER_QUEUE_URL"].endswith("/demo-dead-letters")
    assert SERVICES["ingestor"]["read_only"] is True


def test_chronografs_dashboard_can_be_imported() -> None:
    """The fields that Chronograf's file store reads; an id below 0 hurts no dashboard of a user."""
    (file,) = (DOCKER / "chronograf").glob("*.dashboard")
    board = json.loads(file.read_text("utf-8"))
    taken = [
        (x, y)
        for cell in board["cells"]
        for x in range(cell["x"], cell["x"] + cell["w"])
        for y in range(cell["y"], cell["y"] + cell["h"])
    ]

    assert board["id"] < 0
    assert (board["name"], board["organization"]) == ("ingestor", "default")
    assert len({cell["i"] for cell in board["cells"]}) == len(board["cells"])
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 12
    assert {query["type"] for cell in board["cells"] for query in cell["queries"]} == {"influxql"}

"""The ECS services on moto: what its ECS, which checks what it is given, makes of them.

moto has no secrets and no private names in templates: a queue stands in for each of them, because
it has an ARN, too. Nothing else is changed.
"""

import json
from typing import Any

import pytest
from support.cloudformation import IMAGES, Emulator
from support.templates import Template, read_templates

from cfn.plan import make_plan
from loadtest.servers import Moto

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

LACKING = frozenset(
    {
        "AWS::SecretsManager::Secret",
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        "AWS::ServiceDiscovery::Service",
    }
)
STANDS_IN = {
    "ecs-cluster.Namespace",
    "influxdb-service.AdminSecret",
    "influxdb-service.Discovery",
    "influxdb-service.TokenSecret",
}
PARTS = [
    "network",
    "ecs-cluster",
    "efs-storage",
    "influxdb-service",
    "metadata",
    "queue",
    "ingestor-service",
]
WITHOUT = frozenset({"AlertsStack", "CloudFrontStack", "ConsoleStack"})
"""Parents that are optional, and that moto makes no alarms, distributions and user pools of."""


def for_moto(template: Template) -> tuple[str, set[str]]:
    """The template with stand-ins, and which resources they stand for."""
    resources: dict[str, Any] = {}
    replaced: set[str] = set()
    for logical, resource in template.body["Resources"].items():
        if resource["Type"] in LACKING:
            replaced.add(f"{template.name}.{logical}")
            resources[logical] = {**resource, "Type": "AWS::SQS::Queue", "Properties": {}}
        else:
            resources[logical] = resource
    return json.dumps({**template.body, "Resources": resources}), replaced


@pytest.fixture(scope="module")
def account(own_moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """The account with those stacks in it, made in the plan's order."""
    emulator = Emulator(own_moto, tmp_path_factory.mktemp("account"))
    templates = read_templates()
    replaced: set[str] = set()
    image = f"ingestor-service.IngestorImage={IMAGES['ingestor']}"
    for deployment in make_plan("demo", settings=[image]):
        name = deployment.step.template
        if name in PARTS:
            text, stand_ins = for_moto(templates[name])
            replaced |= stand_ins
            file = emulator.folder / f"{name}.json"
            file.write_text(text)
            given = {k: v for k, v in deployment.parameters.items() if k not in WITHOUT}
            emulator.create(deployment.stack, file.as_uri(), given)
    assert replaced == STANDS_IN
    return emulator


def service(account: Emulator, stack: str) -> dict[str, Any]:
    """The one service of a stack, as ECS describes it."""
    name = account.resources(f"demo-{stack}")["Service"]
    answer = account.client("ecs").describe_services(cluster="demo", services=[name])
    found: list[dict[str, Any]] = answer["services"]
    assert [each["status"] for each in found] == ["ACTIVE"]
    return found[0]


def container(account: Emulator, stack: str) -> dict[str, Any]:
    """What runs in that service."""
    definition = service(account, stack)["taskDefinition"]
    task = account.client("ecs").describe_task_definition(taskDefinition=definition)
    found: list[dict[str, Any]] = task["taskDefinition"]["containerDefinitions"]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("stack", "user", "secrets"),
    [
        (
            "influxdb-service",
            "1000:1000",
            {"USERNAME": "Admin", "PASSWORD": "Admin", "ADMIN_TOKEN": "Token"},
        ),
        ("ingestor-service", "10001:10001", {"INFLUXDB_TOKEN": "Token"}),
    ],
)
def test_containers_have_few_rights_and_no_secret_in_sight(
    account: Emulator, stack: str, user: str, secrets: dict[str, str]
) -> None:
    """They run as somebody without capabilities; secrets are named, by where they are kept."""
    made = container(account, stack)
    kept = account.resources("demo-influxdb-service")
    given = {each["name"]: each["valueFrom"] for each in made["secrets"] if each}

    assert made["user"] == user
    assert made["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert len(given) == len(secrets)
    for name, source in given.items():
        [secret] = [secrets[end] for end in secrets if name.endswith(f"_{end}")]
        assert source.startswith(kept[f"{secret}Secret"])
    assert not given.keys() & {each["name"] for each in made["environment"] if each}


def test_the_service_is_told_where_everything_is(account: Emulator) -> None:
    """Queue, dead-letter queue, table and InfluxDB are those of the other stacks."""
    made = container(account, "ingestor-service")
    environment = {each["name"]: each["value"] for each in made["environment"] if each}
    queue, influxdb = account.outputs("demo-queue"), account.outputs("demo-influxdb-service")

    assert made["image"] == IMAGES["ingestor"]
    assert made["readonlyRootFilesystem"] is True
    assert (
        environment.items()
        >= {
            "INGESTOR_QUEUE_URL": queue["QueueUrl"],
            "INGESTOR_DEAD_LETTER_QUEUE_URL": queue["DeadLetterQueueUrl"],
            "INGESTOR_METADATA_TABLE": account.outputs("demo-metadata")["Table"],
            "INGESTOR_INFLUXDB_URL": influxdb["Url"],
        }.items()
    )


def test_influxdb_starts_once(account: Emulator) -> None:
    """There is one, its data lies on the file system, and it has time to end its writes."""
    made = container(account, "influxdb-service")

    assert service(account, "influxdb-service")["desiredCount"] == 1
    assert made["mountPoints"] == [{"sourceVolume": "data", "containerPath": "/var/lib/influxdb2"}]
    assert made["stopTimeout"] == 120

"""The function as CloudFormation makes it: fed by queue and rule, turned on and off by alarms.

One environment on MiniStack, with a real InfluxDB elsewhere whose token is in Secrets Manager. The
tests build on each other: the one that deploys again comes last.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from service.conftest import RECORD, reading, until
from support.cloudformation import IMAGES, LACKING, Emulator

from cfn.build_function import build
from cfn.plan import make_plan
from loadtest.function import machine, python_version
from loadtest.servers import Influxd, MiniStack

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("lambda-stack"),
    pytest.mark.timeout(600),  # nine stacks, a zip, and processes that unpack it
    pytest.mark.asyncio(loop_scope="module"),
]

ENVIRONMENT = "fn-1"
TEMPLATES = (
    "network", "alerts", "ecs-cluster", "influxdb-service", "metadata", "queue",
    "ingestor-service", "iot-rule", "ingestor-lambda", "ingestor-failover",
)  # fmt: skip
BUCKET, KEY = "fn-1-code", "function.zip"


class Account:
    """The environment, and what its tests ask."""

    def __init__(self, emulator: Emulator, influxd: Influxd) -> None:
        self.emulator = emulator
        self.influxd = influxd
        self.queue = emulator.outputs(f"{ENVIRONMENT}-queue")
        self.function = emulator.outputs(f"{ENVIRONMENT}-ingestor-lambda")["Function"]
        self.functions = emulator.client("lambda")
        self.made = emulator.resources(f"{ENVIRONMENT}-ingestor-failover")

    def send(self, *numbers: int) -> None:
        """Put readings into the queue."""
        for number in numbers:
            self.emulator.client("sqs").send_message(
                QueueUrl=self.queue["QueueUrl"], MessageBody=reading(number)
            )

    async def stored(self) -> list[int]:
        """The numbers of the devices whose readings are stored, enriched."""
        # By the tag: the built-in mapping, which the stack has, knows no sequence number.
        rows = await self.influxd.query_influxql(
            'SELECT "pressureValue", "sensorID", "family" FROM "pressure"'
        )
        return sorted(int(row["sensorID"][1:-1]) for row in rows if row["family"] == "transmitters")

    def is_on(self) -> bool:
        """Whether the event source mapping takes from the queue."""
        [mapping] = self.functions.list_event_source_mappings(FunctionName=self.function)[
            "EventSourceMappings"
        ]
        return bool(mapping["State"] == "Enabled")

    def alarms(self, unattended: str, away: str) -> None:
        """What the two alarms say from now on; nobody is told."""
        for name, state in (("ReadingsUnattendedAlarm", unattended), ("ServiceAwayAlarm", away)):
            self.emulator.client("cloudwatch").set_alarm_state(
                AlarmName=self.made[name], StateValue=state, StateReason="the test says so"
            )

    def tell(self, alarm: str) -> dict[str, Any]:
        """What EventBridge does when CloudWatch says that an alarm has changed; the answer.

        Nobody but AWS may put such an event: so the rule is asked whether it takes it, and its
        target is called.
        """
        region, owner = "us-east-1", "000000000000"
        event = json.dumps(
            {
                "id": "1",
                "version": "0",
                "account": owner,
                "region": region,
                "time": "2026-11-24T12:00:00Z",
                "source": "aws.cloudwatch",
                "detail-type": "CloudWatch Alarm State Change",
                "resources": [f"arn:aws:cloudwatch:{region}:{owner}:alarm:{self.made[alarm]}"],
                "detail": {"alarmName": self.made[alarm]},
            }
        )
        events, rule = self.emulator.client("events"), f"{ENVIRONMENT}-ingestor-failover"
        pattern = events.describe_rule(Name=rule)["EventPattern"]
        assert events.test_event_pattern(EventPattern=pattern, Event=event)["Result"]
        [target] = events.list_targets_by_rule(Rule=rule)["Targets"]
        answer = self.functions.invoke(FunctionName=target["Arn"], Payload=event.encode())
        content: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content


def deploy(emulator: Emulator, influxd: Influxd, *templates: str, **changes: str) -> None:
    """Make or change these stacks, in the plan's order and with its parameters."""
    to = influxd.environment()
    settings = LACKING | {
        "influxdb-service.Backend": "external",
        "influxdb-service.ExternalUrl": to["INGESTOR_INFLUXDB_URL"],
        "influxdb-service.Organization": to["INGESTOR_INFLUXDB_ORG"],
        "influxdb-service.Bucket": to["INGESTOR_INFLUXDB_BUCKET"],
        "ingestor-service.CloudFrontStack": "",  # not made here, nor is the console
        "ingestor-service.ConsoleStack": "",
        "ingestor-lambda.CodeBucket": BUCKET,
        "ingestor-lambda.CodeKey": KEY,
        "ingestor-lambda.Architecture": machine(),
        **{name.replace("__", ".").replace("_", "-"): value for name, value in changes.items()},
    }
    plan = make_plan(
        ENVIRONMENT,
        settings=[f"{name}={value}" for name, value in settings.items()],
        images=IMAGES,
    )
    stacks = emulator.client("cloudformation")
    there = emulator.stacks()
    for deployment in plan:
        name, template = deployment.stack, deployment.step.template
        if template not in templates:
            continue
        change = stacks.update_stack if name in there else stacks.create_stack
        change(
            StackName=name,
            TemplateBody=deployment.template.read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in deployment.parameters.items()
            ],
        )
        done = "stack_update_complete" if name in there else "stack_create_complete"
        stacks.get_waiter(done).wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account(
    influxd_v2: Influxd, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Account]:
    """The environment with the function on standby, its zip, its token and a record in place."""
    folder = tmp_path_factory.mktemp("account")
    async with MiniStack() as server:
        emulator = Emulator(server, folder)
        s3 = emulator.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        code = build(machine(), python_version(), folder).read_bytes()
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=code)
        deploy(
            emulator,
            influxd_v2,
            *TEMPLATES,
            ingestor_lambda__Mode="sqs",
            ingestor_lambda__Standby="true",
            ingestor_failover__Mode="automatic",
        )
        emulator.client("secretsmanager").put_secret_value(
            SecretId=f"{ENVIRONMENT}/influxdb-token",
            SecretString=influxd_v2.environment()["INGESTOR_INFLUXDB_TOKEN"],
        )
        emulator.client("dynamodb").put_item(
            TableName=f"{ENVIRONMENT}-DeviceMetaData",
            Item={"metakey": {"S": RECORD}, "family": {"S": "transmitters"}},
        )
        account = Account(emulator, influxd_v2)
        # MiniStack takes the template's number for a text there, and cannot compare it.
        [mapping] = account.functions.list_event_source_mappings()["EventSourceMappings"]
        account.functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 2}
        )
        yield account


async def test_settings_name_the_secret_alone(account: Account) -> None:
    """Whoever may read the function's settings does not see InfluxDB's token."""
    settings = account.functions.get_function_configuration(FunctionName=account.function)
    variables = settings["Environment"]["Variables"]
    token = account.influxd.environment()["INGESTOR_INFLUXDB_TOKEN"]

    assert "fn-1/influxdb-token" in variables["INGESTOR_INFLUXDB_TOKEN_SECRET"]
    assert token not in variables.values()
    assert "INGESTOR_INFLUXDB_TOKEN" not in variables


@pytest.mark.parametrize(
    ("unattended", "away", "before", "after"),
    [
        ("ALARM", "OK", False, True),
        ("ALARM", "ALARM", False, True),
        ("ALARM", "INSUFFICIENT_DATA", False, True),
        ("OK", "ALARM", True, True),  # its own success does not turn it off
        ("OK", "INSUFFICIENT_DATA", True, True),
        ("INSUFFICIENT_DATA", "OK", True, True),
        ("INSUFFICIENT_DATA", "ALARM", False, False),
        ("OK", "ALARM", False, False),
        ("OK", "OK", True, False),
        ("OK", "OK", False, False),
    ],
)
async def test_switch(
    *, account: Account, unattended: str, away: str, before: bool, after: bool
) -> None:
    """What both alarms say decides, whichever has changed, however often it is told."""
    account.alarms("ALARM" if before else "OK", "OK")
    account.tell("ServiceAwayAlarm")
    assert account.is_on() is before

    account.alarms(unattended, away)
    for alarm in ("ReadingsUnattendedAlarm", "ServiceAwayAlarm", "ReadingsUnattendedAlarm"):
        account.tell(alarm)
        assert account.is_on() is after


async def test_readings_wait_until_the_function_stands_in(account: Account) -> None:
    """On standby nothing is taken; with the alarm all is stored; afterwards it is off again."""
    account.alarms("OK", "OK")
    account.tell("ServiceAwayAlarm")
    account.send(*range(20))
    assert not account.is_on()

    account.alarms("ALARM", "ALARM")
    account.tell("ServiceAwayAlarm")

    async def all_stored() -> bool:
        return await account.stored() == list(range(20))

    await until(all_stored, seconds=240)
    account.alarms("OK", "OK")
    account.tell("ReadingsUnattendedAlarm")
    assert not account.is_on()


async def test_rule_calls_the_function(account: Account) -> None:
    """With Mode=direct there is no mapping, and what is published is stored without the queue."""
    # In this order: what turns the mapping on and off needs it.
    off = {"ingestor_failover__Mode": "off"}
    deploy(account.emulator, account.influxd, "ingestor-failover", **off)
    deploy(account.emulator, account.influxd, "iot-rule", iot_rule__Enabled="false")
    direct = {"ingestor_lambda__Mode": "direct"}
    deploy(account.emulator, account.influxd, "ingestor-lambda", **direct)
    mappings = account.functions.list_event_source_mappings(FunctionName=account.function)
    assert mappings["EventSourceMappings"] == []

    account.emulator.client("iot-data").publish(topic="pressure/data", qos=1, payload=reading(77))

    async def is_stored() -> bool:
        return 77 in await account.stored()

    await until(is_stored, seconds=240)
    attributes = account.emulator.client("sqs").get_queue_attributes(
        QueueUrl=account.queue["QueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"

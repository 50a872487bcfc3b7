"""What must be true of all templates, and the proof that each check would notice."""

from collections.abc import Callable, Iterator

import pytest
from support import checks_of_access, checks_of_data, checks_of_shape
from support.templates import Template, Templates, read_templates

Check = Callable[[Templates], Iterator[str]]

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        checks_of_access.wildcards_have_reasons,
        checks_of_access.only_cloudfront_is_open,
        checks_of_access.nothing_has_a_public_address,
        checks_of_access.no_secret_is_written_down,
        checks_of_access.permissions_are_what_is_called,
        checks_of_data.influxdb_has_one_writer,
        checks_of_data.file_system_is_shared_safely,
        checks_of_data.data_are_encrypted,
        checks_of_data.dead_letters_outlive_readings,
        checks_of_data.visibility_outlasts_the_function,
        checks_of_shape.parameters_are_described,
        checks_of_shape.alarms_say_what_to_do,
        checks_of_shape.exports_are_used,
        checks_of_shape.names_carry_the_environment,
        checks_of_shape.tasks_are_confined,
        checks_of_shape.the_ingestor_stops_in_time,
        checks_of_shape.shape_is_the_same,
    )
}

BREAKAGES = [  # check, template, what stands there, what a careless hand makes of it
    ("wildcards_have_reasons", "queue", "sqs:*  # whatever it is, not without TLS", "sqs:*"),
    ("wildcards_have_reasons", "queue", "- sqs:DeleteMessage  # what is stored", "- sqs:*"),
    ("wildcards_have_reasons", "metadata", "Resource: !GetAtt Table.Arn", "Resource: '*'"),
    (
        "wildcards_have_reasons",
        "queue",
        "- Sid: TlsOnly\n            Effect: Deny",
        "- Effect: Allow",
    ),
    (
        "only_cloudfront_is_open",
        "cloudfront-alb",
        "SourcePrefixListId: !Ref CloudFrontPrefixList",
        "CidrIp: 0.0.0.0/0",
    ),
    (
        "only_cloudfront_is_open",
        "influxdb-service",
        "SourceSecurityGroupId: !GetAtt ClientSecurityGroup.GroupId",
        "CidrIpv6: ::/0",
    ),
    ("only_cloudfront_is_open", "grafana-service", "X-Origin-Secret", "X-Anything"),
    (
        "only_cloudfront_is_open",
        "grafana-service",
        "SecurityGroupEgress:",
        "Tags:",
    ),
    (
        "nothing_has_a_public_address",
        "ingestor-service",
        "AssignPublicIp: DISABLED",
        "AssignPublicIp: ENABLED",
    ),
    (
        "nothing_has_a_public_address",
        "influxdb-service",
        "PubliclyAccessible: false",
        "PubliclyAccessible: true",
    ),
    (
        "nothing_has_a_public_address",
        "cloudfront-alb",
        "RestrictPublicBuckets: true",
        "RestrictPublicBuckets: false",
    ),
    (
        "no_secret_is_written_down",
        "influxdb-service",
        "            - Name: INFLUXD_REPORTING_DISABLED\n              Value: 'true'",
        "            - Name: DOCKER_INFLUXDB_INIT_PASSWORD\n              Value: telemetry",
    ),
    (
        "no_secret_is_written_down",
        "influxdb-service",
        "Password: !Sub '{{resolve:secretsmanager:${AdminSecret}:SecretString:password}}'",
        "Password: telemetry",
    ),
    (
        "no_secret_is_written_down",
        "ingestor-service",
        "else.\n    Type: String\n    Default: ''",
        "else.\n    Type: String\n    Default: t0ken",
    ),
    (
        "no_secret_is_written_down",
        "ingestor-lambda",
        "INGESTOR_INFLUXDB_API: v2",
        "INGESTOR_INFLUXDB_TOKEN: t0ken",
    ),
    (
        "no_secret_is_written_down",
        "ingestor-lambda",
        "INGESTOR_INFLUXDB_API: v2",
        "INGESTOR_INFLUXDB_TOKEN: '{{resolve:secretsmanager:demo/influxdb-token:SecretString}}'",
    ),
    (
        "permissions_are_what_is_called",
        "queue",
        "- sqs:ChangeMessageVisibility  # leases",
        "- sqs:PurgeQueue  # leases",
    ),
    (
        "permissions_are_what_is_called",
        "metadata",
        "- dynamodb:DescribeTable  # `ingestor check`",
        "- dynamodb:Scan  # why not",
    ),
    ("influxdb_has_one_writer", "influxdb-service", "DesiredCount: 1", "DesiredCount: 2"),
    ("influxdb_has_one_writer", "influxdb-service", "MaximumPercent: 100", "MaximumPercent: 200"),
    (
        "influxdb_has_one_writer",
        "influxdb-service",
        "MinimumHealthyPercent: 0",
        "MinimumHealthyPercent: 100",
    ),
    (
        "influxdb_has_one_writer",
        "influxdb-service",
        "AvailabilityZoneRebalancing: DISABLED",
        "AvailabilityZoneRebalancing: ENABLED",
    ),
    (
        "influxdb_has_one_writer",
        "influxdb-service",
        "InfluxDbBackupAccessPoint",
        "InfluxDbAccessPoint",
    ),
    (
        "influxdb_has_one_writer",
        "influxdb-service",
        "Type: AWS::Scheduler::Schedule",
        "Type: AWS::ApplicationAutoScaling::ScalableTarget",
    ),
    (
        "file_system_is_shared_safely",
        "grafana-service",
        "TransitEncryption: ENABLED",
        "TransitEncryption: DISABLED",
    ),
    ("file_system_is_shared_safely", "chronograf-service", "IAM: ENABLED", "IAM: DISABLED"),
    (
        "file_system_is_shared_safely",
        "grafana-service",
        "GrafanaAccessPoint",
        "ChronografAccessPoint",
    ),
    ("file_system_is_shared_safely", "efs-storage", "Path: /grafana", "Path: /influxdb"),
    ("file_system_is_shared_safely", "efs-storage", "aws:SecureTransport: 'false'", "a: b"),
    ("file_system_is_shared_safely", "efs-storage", "AccessPointArn: 'true'", "Nothing: 'true'"),
    ("data_are_encrypted", "queue", "SqsManagedSseEnabled: true", "SqsManagedSseEnabled: false"),
    ("data_are_encrypted", "queue", "SecureTransport: 'false'", "SecureTransport: 'true'"),
    ("data_are_encrypted", "metadata", "SSEEnabled: true", "SSEEnabled: false"),
    (
        "data_are_encrypted",
        "metadata",
        "PointInTimeRecoveryEnabled: true",
        "PointInTimeRecoveryEnabled: false",
    ),
    ("data_are_encrypted", "efs-storage", "Encrypted: true", "Encrypted: false"),
    ("data_are_encrypted", "alerts", "KmsMasterKeyId: !GetAtt Key.Arn", "FifoTopic: false"),
    ("data_are_encrypted", "cloudfront-alb", "BucketEncryption:", "BucketSomething:"),
    ("data_are_encrypted", "network", "RetentionInDays: !Ref LogRetentionDays", "Tags: []"),
    (
        "data_are_encrypted",
        "images",
        "ImageTagMutability: IMMUTABLE",
        "ImageTagMutability: MUTABLE",
    ),
    ("data_are_encrypted", "ecs-cluster", "Encrypted: true", "Encrypted: false"),
    ("dead_letters_outlive_readings", "queue", "MaxValue: 1123200", "MaxValue: 1209600"),
    ("dead_letters_outlive_readings", "queue", "MinValue: 1209600", "MinValue: 60"),
    ("visibility_outlasts_the_function", "queue", "MinValue: 120", "MinValue: 30"),
    (
        "visibility_outlasts_the_function",
        "ingestor-lambda",
        "    MinValue: 5\n    MaxValue: 20",
        "    MinValue: 5\n    MaxValue: 900",
    ),
    (
        "parameters_are_described",
        "queue",
        "Description: Receives after which SQS itself gives a message up;",
        "NoEcho: false",
    ),
    ("parameters_are_described", "alerts", "Optional address that", "Address that"),
    ("parameters_are_described", "alerts", "          - HttpsEndpoint\n", ""),
    (
        "parameters_are_described",
        "metadata",
        "    Description: Name of the table.\n",
        "",
    ),
    ("alarms_say_what_to_do", "queue", "AlarmActions:", "InsufficientDataActions:"),
    ("alarms_say_what_to_do", "queue", 'README: "The backlog grows"', "Good luck"),
    ("alarms_say_what_to_do", "queue", '"There are dead letters"', '"Nobody wrote this"'),
    (
        "alarms_say_what_to_do",
        "metadata",
        "AWS::CloudWatch::Alarm\n    Condition: HasAlerts",
        "AWS::CloudWatch::Alarm\n    Condition: HasNothing",
    ),
    ("exports_are_used", "queue", "${AWS::StackName}-QueueArn", "${AWS::StackName}-Arn"),
    (
        "exports_are_used",
        "ingestor-service",
        "    Value: !GetAtt TaskRole.Arn\n",
        "    Value: x\n    Export: {Name: !Sub '${AWS::StackName}-TaskRole'}\n",
    ),
    (
        "names_carry_the_environment",
        "queue",
        "QueueName: !Sub '${EnvironmentName}-readings'",
        "QueueName: readings",
    ),
    (
        "names_carry_the_environment",
        "cloudfront-alb",
        "Name: !Sub '${EnvironmentName}-console'",
        "Name: console",
    ),
    ("names_carry_the_environment", "images", "${EnvironmentName}/ingestor", "ingestor"),
    ("names_carry_the_environment", "ecs-cluster", "Name: !Ref EnvironmentName", "Name: demo"),
    ("tasks_are_confined", "ingestor-service", "User: '10001:10001'", "User: '0'"),
    ("tasks_are_confined", "grafana-service", "          User: '472'\n", ""),
    ("tasks_are_confined", "influxdb-service", "- ALL", "- NET_RAW"),
    ("tasks_are_confined", "ingestor-service", "LogConfiguration:", "DockerLabels:"),
    (
        "tasks_are_confined",
        "chronograf-service",
        "ReadonlyRootFilesystem: false",
        "Privileged: true",
    ),
    ("the_ingestor_stops_in_time", "ingestor-service", "StopTimeout: 60", "StopTimeout: 30"),
    ("the_ingestor_stops_in_time", "ingestor-service", "8080/live", "8080/ready"),
    (
        "the_ingestor_stops_in_time",
        "ingestor-service",
        "ReadonlyRootFilesystem: true",
        "ReadonlyRootFilesystem: false",
    ),
    ("shape_is_the_same", "queue", "HasAlerts", "Alerts"),
    ("shape_is_the_same", "queue", "Description: 'cfn: ", "Description: '"),
    ("shape_is_the_same", "queue", "Resources:\n", f"Resources:  # {'x' * 51_200}\n"),
]


@pytest.fixture(scope="module")
def templates() -> Templates:
    """The templates of this checkout."""
    return read_templates()


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_found(name: str, templates: Templates) -> None:
    """The templates pass the check."""
    assert list(CHECKS[name](templates)) == []


@pytest.mark.parametrize(
    ("name", "template", "before", "after"),
    BREAKAGES,
    ids=[f"{name}-{number}" for number, (name, *_) in enumerate(BREAKAGES)],
)
def test_breakage_is_found(
    name: str, template: str, before: str, after: str, templates: Templates
) -> None:
    """The check finds something in a copy that is broken in one place."""
    text = templates[template].text
    assert before in text, "there is nothing to break any more"
    broken = {**templates, template: Template.of(template, text.replace(before, after))}

    assert set(CHECKS[name](broken)) > set(CHECKS[name](templates))


def test_every_check_is_proven() -> None:
    """No check is without a breakage that it finds."""
    assert {name for name, *_ in BREAKAGES} == set(CHECKS)

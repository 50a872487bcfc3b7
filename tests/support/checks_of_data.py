"""That data are kept, once, and in secret: each check yields its findings, as sentences."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from support.checks_of_access import statements
from support.templates import Templates

_AT_REST: dict[str, Callable[[dict[str, Any]], object]] = {
    "AWS::SQS::Queue": lambda p: p.get("SqsManagedSseEnabled"),
    "AWS::SNS::Topic": lambda p: p.get("KmsMasterKeyId"),
    "AWS::DynamoDB::Table": lambda p: (
        p.get("SSESpecification", {}).get("SSEEnabled")
        and p.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
    ),
    "AWS::S3::Bucket": lambda p: p.get("BucketEncryption"),
    "AWS::EFS::FileSystem": lambda p: p.get("Encrypted"),
    "AWS::Logs::LogGroup": lambda p: p.get("RetentionInDays"),
    "AWS::ECR::Repository": lambda p: (
        p.get("EncryptionConfiguration")
        and p.get("ImageScanningConfiguration", {}).get("ScanOnPush")
        and p.get("ImageTagMutability") == "IMMUTABLE"
    ),
    "AWS::EC2::LaunchTemplate": lambda p: '"Encrypted": true' in json.dumps(p),
}


def influxdb_has_one_writer(templates: Templates) -> Iterator[str]:
    """One task, stopped before the next one starts; no scaling, no Spot, one user of its data."""
    template = templates["influxdb-service"]
    for logical, service in template.resources("AWS::ECS::Service"):
        deployment = service.get("DeploymentConfiguration", {})
        found = (
            service.get("DesiredCount"),
            deployment.get("MinimumHealthyPercent"),
            deployment.get("MaximumPercent"),
            service.get("AvailabilityZoneRebalancing"),
        )
        if found != (1, 0, 100, "DISABLED"):
            yield f"{logical} can have two tasks: {found}"
        if "SPOT" in json.dumps(service):
            yield f"{logical} may be interrupted"
    if any("ApplicationAutoScaling" in r["Type"] for r in template.body["Resources"].values()):
        yield "InfluxDB scales"
    writers = [
        logical
        for each in templates.values()
        for logical, task in each.resources("AWS::ECS::TaskDefinition")
        if "${EfsStack}-InfluxDbAccessPoint" in json.dumps(task)
    ]
    if writers != ["influxdb-service.TaskDefinition"]:
        yield f"InfluxDB's data are mounted by {writers}"


def file_system_is_shared_safely(templates: Templates) -> Iterator[str]:
    """Mounts use TLS, IAM and an access point of their own; the file system demands the same."""
    points: list[str] = []
    for template in templates.values():
        for logical, task in template.resources("AWS::ECS::TaskDefinition"):
            for volume in task.get("Volumes", []):
                efs = volume["EFSVolumeConfiguration"]
                access = efs.get("AuthorizationConfig", {})
                if efs.get("TransitEncryption") != "ENABLED" or access.get("IAM") != "ENABLED":
                    yield f"{logical} mounts without TLS or IAM"
                points.append(json.dumps(access.get("AccessPointId")))
    if len(set(points)) != len(points) or "null" in points:
        yield "two tasks share an access point, or one has none"
    storage = templates["efs-storage"]
    paths = [
        json.dumps(point["RootDirectory"]["Path"])
        for _, point in storage.resources("AWS::EFS::AccessPoint")
    ]
    if len(set(paths)) != len(paths):
        yield "two access points share a folder"
    denied = [
        json.dumps(statement.get("Condition", {}))
        for _, statement in statements(storage)
        if statement["Effect"] == "Deny"
    ]
    for condition in ("aws:SecureTransport", "elasticfilesystem:AccessPointArn"):
        if not any(condition in each for each in denied):
            yield f"the file system does not insist on {condition}"


def data_are_encrypted(templates: Templates) -> Iterator[str]:
    """At rest everywhere, logs with an end; buckets and queues refuse plain HTTP."""
    yield from [
        f"{logical} is not encrypted, or keeps for ever"
        for template in templates.values()
        for kind, holds in _AT_REST.items()
        for logical, properties in template.resources(kind)
        if not holds(properties)
    ]
    for template in templates.values():
        for kind, policies in (
            ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
            ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy"),
        ):
            strict = "".join(
                json.dumps(policy)
                for _, policy in template.resources(policies)
                if '"aws:SecureTransport": "false"' in json.dumps(policy)
            )
            yield from [
                f"{logical} takes plain HTTP"
                for logical, _ in template.resources(kind)
                if f'"{logical.split(".")[1]}"' not in strict
            ]


def dead_letters_outlive_readings(templates: Templates) -> Iterator[str]:
    """Whatever is chosen, dead letters are kept longer than the queue keeps readings."""
    queue = templates["queue"].parameters
    longest = queue["RetentionSeconds"]["MaxValue"]
    shortest = queue["DeadLetterRetentionSeconds"]["MinValue"]
    if shortest <= longest:
        yield f"{shortest} s is not longer than {longest} s"


def visibility_outlasts_the_function(templates: Templates) -> Iterator[str]:
    """Whatever is chosen, visibility is at least six times the function's time."""
    visibility = templates["queue"].parameters["VisibilityTimeoutSeconds"]["MinValue"]
    timeout = templates["ingestor-lambda"].parameters["FunctionTimeoutSeconds"]["MaxValue"]
    if visibility < 6 * timeout:
        yield f"{visibility} s for {timeout} s"

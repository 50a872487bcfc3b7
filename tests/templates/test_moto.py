"""A second opinion on the parts that MiniStack has to leave out: NAT, flow logs, EC2 capacity.

moto shows no outputs of change sets, so its stacks are made by `create-stack`.
"""

import json

import pytest
from support.cloudformation import Emulator

from cfn.plan import make_plan
from loadtest.servers import Moto

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

SETTINGS = ["ecs-cluster.Capacity=EC2", "network.NatGateways=per-zone"]
PARTS = ["network", "alerts", "ecs-cluster", "efs-storage", "metadata", "queue"]


@pytest.fixture(scope="module")
def account(own_moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """The account with those stacks in it, made in the plan's order."""
    emulator = Emulator(own_moto, tmp_path_factory.mktemp("account"))
    for deployment in make_plan("demo", settings=SETTINGS):
        if deployment.step.template in PARTS:
            uri = deployment.template.as_uri()
            emulator.create(deployment.stack, uri, deployment.parameters)
    return emulator


def test_stacks_are_made(account: Emulator) -> None:
    """Every one of the parts is complete."""
    assert account.stacks() == {f"demo-{part}": "CREATE_COMPLETE" for part in PARTS}


def test_network_has_a_way_out(account: Emulator) -> None:
    """Each private route table goes out through a NAT gateway of its own zone; all is logged."""
    ec2, made = account.client("ec2"), account.resources("demo-network")
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    homes = {each["NatGatewayId"]: each["SubnetId"] for each in gateways}
    ways = {
        table["RouteTableId"]: homes[route["NatGatewayId"]]
        for table in ec2.describe_route_tables()["RouteTables"]
        for route in table["Routes"]
        if "NatGatewayId" in route
    }

    assert ways == {
        made["PrivateRouteTableA"]: made["PublicSubnetA"],
        made["PrivateRouteTableB"]: made["PublicSubnetB"],
    }
    assert [log["TrafficType"] for log in ec2.describe_flow_logs()["FlowLogs"]] == ["ALL"]


def test_instances_are_private_and_encrypted(account: Emulator) -> None:
    """The EC2 capacity starts from an encrypted template in the private subnets, with nobody in."""
    [group] = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    outputs = account.outputs("demo-network")
    private = {outputs["PrivateSubnetA"], outputs["PrivateSubnetB"]}
    [version] = account.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=group["LaunchTemplate"]["LaunchTemplateId"]
    )["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]

    assert set(group["VPCZoneIdentifier"].split(",")) == private
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert account.client("ecs").describe_clusters(clusters=["demo"])["clusters"]


def test_file_system_is_mounted_by_access_points(account: Emulator) -> None:
    """It is encrypted, in both zones, and each service has a folder and a user of its own."""
    efs = account.client("efs")
    [system] = efs.describe_file_systems()["FileSystems"]
    points = efs.describe_access_points()["AccessPoints"]
    targets = efs.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]

    assert system["Encrypted"] is True
    assert len({each["SubnetId"] for each in targets}) == 2
    assert {each["RootDirectory"]["Path"]: each["PosixUser"]["Uid"] for each in points} == {
        "/influxdb": 1000,
        "/influxdb-backup": 1000,
        "/grafana": 472,
        "/chronograf": 999,
    }


def test_queue_and_table(account: Emulator) -> None:
    """The queue's redrive policy and the table's key are read as MiniStack reads them."""
    url = account.outputs("demo-queue")["QueueUrl"]
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    table = account.client("dynamodb").describe_table(TableName="demo-DeviceMetaData")["Table"]
    queue = attributes["Attributes"]

    assert queue["VisibilityTimeout"] == "120"
    assert int(json.loads(queue["RedrivePolicy"])["maxReceiveCount"]) == 20
    assert table["KeySchema"] == [{"AttributeName": "metakey", "KeyType": "HASH"}]

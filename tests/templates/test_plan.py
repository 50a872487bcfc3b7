"""The plan fills in what the templates demand, and refuses what they do not know."""

import json
import os
import shlex
from pathlib import Path

import pytest
from support.templates import read_templates

from cfn.deploy import deploy
from cfn.plan import STEPS, PlanError, make_plan, missing_images
from cfn.stacks import Aws, AwsError

IMAGES = {"ingestor": "a:1", "grafana-service": "b:1", "chronograf-service": "c:1"}
LOOKED_UP = {"CloudFrontPrefixList": "pl-0123"}


def test_every_demanded_parameter_is_given() -> None:
    """No template is left with a parameter that has neither a default nor a value."""
    templates = read_templates()

    for deployment in make_plan("demo", images=IMAGES, looked_up=LOOKED_UP):
        parameters = templates[deployment.step.template].parameters
        demanded = {name for name, body in parameters.items() if "Default" not in body}
        assert demanded <= deployment.parameters.keys() <= parameters.keys()


def test_parents_come_first() -> None:
    """A stack is made after those that it imports from, and says so when it makes roles."""
    templates = read_templates()
    made: set[str] = set()

    for deployment in make_plan("demo"):
        parents = {deployment.parameters[name] for name in deployment.step.parents}
        template = templates[deployment.step.template]
        roles = any(template.resources("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"))
        assert parents <= made
        assert roles == deployment.step.has_roles
        made.add(deployment.stack)


def test_settings_win() -> None:
    """A setting replaces what the plan would give."""
    settings = ["network.NatGateways=none", "queue.AlertsStack="]
    plan = {each.step.template: each for each in make_plan("demo", settings=settings)}

    assert plan["network"].parameters["NatGateways"] == "none"
    assert plan["queue"].parameters["AlertsStack"] == ""


def test_a_stack_is_left_out() -> None:
    """Its children are not told of it."""
    plan = {each.step.template: each for each in make_plan("demo", without=["alerts"])}

    assert "alerts" not in plan
    assert "AlertsStack" not in plan["queue"].parameters


@pytest.mark.parametrize("setting", ["NatGateways=none", "network.NatGateways", "net.X=1", "="])
def test_wrong_setting(setting: str) -> None:
    """A setting that names no template, parameter or value is refused with the form to use."""
    with pytest.raises(PlanError, match=r"<template>\.<Parameter>=<value>"):
        make_plan("demo", settings=[setting])


def test_unknown_template() -> None:
    """Leaving out what is not there is a mistake."""
    with pytest.raises(PlanError, match="no template databse"):
        make_plan("demo", without=["databse"])


def test_command_is_what_is_run() -> None:
    """The command for people is the one that the tool runs, whatever has to be quoted."""
    sql = "SELECT * FROM 'a b/#'"
    for deployment in make_plan("demo", settings=[f"iot-rule.Sql={sql}"]):
        words = shlex.split(deployment.command().replace("\\\n", " "))
        assert words == ["aws", *deployment.arguments(f"cfn/{deployment.step.template}.yaml")]


def test_missing_images_are_known() -> None:
    """An image that nobody names is missed before anything is made."""
    assert missing_images(make_plan("demo", images=IMAGES)) == []
    some = {"ingestor": "a:1", "grafana-service": "b:1"}
    assert missing_images(make_plan("demo", images=some)) == ["chronograf-service"]
    repositories = [each for step in STEPS for each in step.images.values()]
    assert missing_images(make_plan("demo")) == repositories


class Answering(Aws):
    """An AWS that knows one failed stack, and takes nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """See Aws."""
        assert stdin is None
        self.asked.append(arguments[1])
        if arguments[1] == "deploy":
            raise AwsError("something failed")
        if arguments[1] == "describe-stacks":
            return '{"Stacks": [{"StackName": "demo-network", "StackStatus": "UPDATE_FAILED"}]}'
        return """{"StackEvents": [
            {"LogicalResourceId": "B", "ResourceType": "T", "ResourceStatus": "UPDATE_FAILED",
             "ResourceStatusReason": "cancelled"},
            {"LogicalResourceId": "A", "ResourceType": "T", "ResourceStatus": "UPDATE_FAILED",
             "ResourceStatusReason": "no such subnet"},
            {"LogicalResourceId": "demo-network", "ResourceType": "AWS::CloudFormation::Stack",
             "ResourceStatus": "UPDATE_IN_PROGRESS"},
            {"LogicalResourceId": "C", "ResourceType": "T", "ResourceStatus": "CREATE_FAILED",
             "ResourceStatusReason": "of the change before"}]}"""


class Complete(Aws):
    """An AWS whose stacks are all made, with these outputs; `calls` are what it was asked."""

    def __init__(self, **outputs: str) -> None:
        self.calls: list[tuple[tuple[str, ...], str | None]] = []
        self._outputs = [
            {"OutputKey": name, "OutputValue": value} for name, value in outputs.items()
        ]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """See Aws."""
        self.calls.append((arguments, stdin))
        stack = {"StackName": "x", "StackStatus": "CREATE_COMPLETE", "Outputs": self._outputs}
        return json.dumps({"Stacks": [stack]})


def test_images_are_built_once_their_repositories_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that nobody names is built, and its stack is told its name."""
    script = tmp_path / "build-and-push"
    script.write_text('#!/bin/sh\necho building "$1"\necho "$2:rev"\n')
    script.chmod(0o755)
    (tmp_path / "docker").symlink_to(script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    others = [each.template for each in STEPS if each.template not in {"images", "grafana-service"}]
    plan = make_plan("demo", without=others)
    aws = Complete(GrafanaRepository="registry/demo/grafana-service")

    deploy(plan, aws, lambda _: None, build_and_push=script)

    [_, second] = [call for call, _ in aws.calls if call[1] == "deploy"]
    assert second[-1] == "GrafanaImage=registry/demo/grafana-service:rev"


def test_images_are_missed_without_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an image can neither be found nor built, nothing is begun."""
    monkeypatch.setenv("PATH", str(tmp_path))
    aws = Complete()

    with pytest.raises(PlanError, match="no docker to build one"):
        deploy(make_plan("demo"), aws, lambda _: None)
    assert aws.calls == []


def test_console_is_uploaded(tmp_path: Path) -> None:
    """The console's files go into its bucket with the sign-in, and CloudFront forgets the old."""
    aws = Complete(
        ConsoleBucket="bucket",
        ConsoleConfiguration='{"issuer": "x"}',
        Distribution="E1",
        CloudFrontEndpoint="https://console.example",
    )
    said: list[str] = []
    others = [step.template for step in STEPS if step.template != "console"]

    deploy(make_plan("demo", without=others), aws, said.append, console=tmp_path)

    calls = {call[:2]: (call, stdin) for call, stdin in aws.calls}
    assert calls["s3", "sync"][0][2:4] == (str(tmp_path), "s3://bucket")
    assert calls["s3", "cp"] == (("s3", "cp", "-", "s3://bucket/config.json"), '{"issuer": "x"}')
    assert calls["cloudfront", "create-invalidation"][0][3] == "E1"
    assert said[-2] == "The console is at https://console.example"


def test_the_first_failure_is_told() -> None:
    """Of the last change's events the first failed one counts, not what it dragged along."""
    aws = Answering()

    with pytest.raises(AwsError, match=r"demo-network failed\.\nA \(T\): no such subnet\n"):
        deploy(make_plan("demo", images=IMAGES), aws, lambda _: None)
    assert aws.asked.count("deploy") == 1

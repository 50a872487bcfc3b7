"""Which stacks an environment has, in which order, and with which parameters."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
_PARENTS = {
    "NetworkStack": "network",
    "AlertsStack": "alerts",
    "ClusterStack": "ecs-cluster",
    "EfsStack": "efs-storage",
    "CloudFrontStack": "cloudfront-alb",
    "ConsoleStack": "console",
    "InfluxDbStack": "influxdb-service",
    "MetadataStack": "metadata",
    "QueueStack": "queue",
    "IotRuleStack": "iot-rule",
    "IngestorStack": "ingestor-service",
    "LambdaStack": "ingestor-lambda",
}


class PlanError(Exception):
    """What was asked for cannot be deployed; the text says what to change."""


@dataclass(slots=True, frozen=True)
class Step:
    """One template and the parameters that the plan fills in.

    `images` names the parameter that takes an image, and the repository it comes from.
    """

    template: str
    parents: tuple[str, ...] = ()
    has_roles: bool = False
    images: Mapping[str, str] = field(default_factory=dict)
    looked_up: tuple[str, ...] = ()


STEPS = (
    Step("network", has_roles=True),
    Step("alerts"),
    Step("ecs-cluster", ("NetworkStack",), has_roles=True),
    Step("efs-storage", ("NetworkStack",), has_roles=True),
    Step("cloudfront-alb", ("NetworkStack",), looked_up=("CloudFrontPrefixList",)),
    Step(
        "influxdb-service",
        ("NetworkStack", "ClusterStack", "EfsStack", "AlertsStack"),
        has_roles=True,
    ),
    Step("images"),
    Step(
        "grafana-service",
        (
            "NetworkStack",
            "ClusterStack",
            "EfsStack",
            "CloudFrontStack",
            "InfluxDbStack",
            "AlertsStack",
        ),
        has_roles=True,
        images={"GrafanaImage": "grafana-service"},
    ),
    Step(
        "chronograf-service",
        (
            "NetworkStack",
            "ClusterStack",
            "EfsStack",
            "CloudFrontStack",
            "InfluxDbStack",
            "AlertsStack",
        ),
        has_roles=True,
        images={"ChronografImage": "chronograf-service"},
    ),
    Step("metadata", ("AlertsStack",), has_roles=True),
    Step("queue", ("AlertsStack",), has_roles=True),
    Step("console", ("CloudFrontStack",)),
    Step(
        "ingestor-service",
        (
            "NetworkStack",
            "ClusterStack",
            "QueueStack",
            "MetadataStack",
            "InfluxDbStack",
            "CloudFrontStack",
            "ConsoleStack",
            "AlertsStack",
        ),
        has_roles=True,
        images={"IngestorImage": "ingestor"},
    ),
    Step("iot-rule", ("QueueStack",), has_roles=True),
    Step(
        "ingestor-lambda",
        ("NetworkStack", "QueueStack", "MetadataStack", "InfluxDbStack", "AlertsStack"),
        has_roles=True,
    ),
    Step(
        "ingestor-failover",
        ("ClusterStack", "QueueStack", "IngestorStack", "LambdaStack", "AlertsStack"),
        has_roles=True,
    ),
    Step(
        "dashboard",
        ("ClusterStack", "QueueStack", "MetadataStack", "IotRuleStack", "IngestorStack"),
    ),
)
"""Parents come before their children; the rule comes after whoever reads its queue."""

TEMPLATES = tuple(step.template for step in STEPS)


@dataclass(slots=True, frozen=True)
class Deployment:
    """One stack as it is to be: `parameters` in the order in which they are given."""

    step: Step
    environment: str
    parameters: Mapping[str, str]

    @property
    def stack(self) -> str:
        """The stack's name."""
        return stack_name(self.environment, self.step.template)

    @property
    def template(self) -> Path:
        """The template's file."""
        return FOLDER / f"{self.step.template}.yaml"

    def arguments(self, template: str) -> list[str]:
        """What follows `aws`; changing nothing is no failure."""
        arguments = ["cloudformation", "deploy", "--stack-name", self.stack]
        arguments += ["--template-file", template]
        if self.step.has_roles:
            arguments += ["--capabilities", "CAPABILITY_IAM"]
        arguments += ["--no-fail-on-empty-changeset", "--tags", f"Environment={self.environment}"]
        overrides = [f"{name}={value}" for name, value in self.parameters.items()]
        return [*arguments, "--parameter-overrides", *overrides]

    def command(self) -> str:
        """The same for a person, to be run in the checkout's folder; an option a line."""
        words = [shlex.quote(word) for word in self.arguments(f"cfn/{self.step.template}.yaml")]
        lines: list[list[str]] = [["aws", *words[:2]]]
        overrides = words.index("--parameter-overrides")
        for word in words[2 : overrides + 1]:
            if word.startswith("--"):
                lines.append([word])
            else:
                lines[-1].append(word)
        lines += [[" ", word] for word in words[overrides + 1 :]]
        return " \\\n    ".join(" ".join(line) for line in lines)


def stack_name(environment: str, template: str) -> str:
    """The name of the stack that an environment makes from a template."""
    return f"{environment}-{template}"


def make_plan(
    environment: str,
    *,
    settings: Iterable[str] = (),
    images: Mapping[str, str] | None = None,
    looked_up: Mapping[str, str] | None = None,
    without: Iterable[str] = (),
) -> list[Deployment]:
    """The stacks in the order in which they are made.

    Args:
        environment: The name that everything carries.
        settings: Further parameters, each `<template>.<Parameter>=<value>`; they win.
        images: Repository name to image.
        looked_up: Parameters whose values the account's region knows.
        without: Templates to leave out. Their children are not told of them, where they may be.

    Raises:
        PlanError: a setting or a template is not known, or an image is missing.
    """
    images, looked_up = images or {}, looked_up or {}
    left_out = frozenset(without)
    if unknown := left_out - set(TEMPLATES):
        raise PlanError(f"There is no template {', '.join(sorted(unknown))}.")
    own = _parse(settings)
    plan = []
    for step in STEPS:
        if step.template in left_out:
            continue
        parameters = {"EnvironmentName": environment}
        for parent in step.parents:
            template = _PARENTS[parent]
            if template not in left_out:
                parameters[parent] = stack_name(environment, template)
        for parameter, repository in step.images.items():
            if image := images.get(repository):
                parameters[parameter] = image
        parameters |= {name: looked_up[name] for name in step.looked_up if name in looked_up}
        parameters |= own.get(step.template, {})
        plan.append(Deployment(step, environment, parameters))
    return plan


def missing_images(plan: Iterable[Deployment]) -> list[str]:
    """The repositories whose image is needed and not named."""
    return [
        repository
        for deployment in plan
        for parameter, repository in deployment.step.images.items()
        if parameter not in deployment.parameters
    ]


def _parse(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    parsed: dict[str, dict[str, str]] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        template, dot, parameter = name.partition(".")
        if not (equals and dot and parameter) or template not in TEMPLATES:
            raise PlanError(
                f"{setting}: a parameter is set as <template>.<Parameter>=<value>, "
                f"such as network.NatGateways=none; templates: {', '.join(TEMPLATES)}."
            )
        parsed.setdefault(template, {})[parameter] = value
    return parsed

"""That all templates look and behave alike: each check yields its findings, as sentences."""

import json
import re
from collections.abc import Iterator
from typing import Any

from support.templates import FOLDER, Template, Templates, listed, nodes

from cfn.plan import STEPS

_LARGEST_BODY = 51_200
_ORDER = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Rules",
    "Conditions",
    "Resources",
    "Outputs",
]
_NO_NAMES = {
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::EC2::EIP", "Domain"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
}
_NAMED_WITHIN = {  # a name that is only one within something that carries EnvironmentName
    ("AWS::Cognito::UserPoolGroup", "GroupName"),
    ("AWS::ServiceDiscovery::Service", "Name"),
    ("AWS::CloudFront::Distribution", "DomainName"),
    ("AWS::Cognito::UserPoolUser", "Username"),
}


def parameters_are_described(templates: Templates) -> Iterator[str]:
    """Every one has a sentence, `Optional …` exactly when it may be empty, and a group."""
    for template in templates.values():
        interface = template.body["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
        if sorted(grouped) != sorted(template.parameters):
            yield f"{template.name}: the groups do not hold each parameter once"
        for name, parameter in template.parameters.items():
            description = parameter.get("Description", "")
            if not description.endswith("."):
                yield f"{template.name}: {name} is not described"
            may_be_empty = parameter.get("Default") == ""
            if may_be_empty != description.startswith("Optional "):
                yield f"{template.name}: is {name} optional?"
        for name, output in template.body.get("Outputs", {}).items():
            if not output.get("Description"):
                yield f"{template.name}: output {name} is not described"


def alarms_say_what_to_do(templates: Templates) -> Iterator[str]:
    """Each alarm goes somewhere, exists with an alert stack only, and names its runbook entry."""
    headings = {
        line.removeprefix("### ").strip()
        for line in (FOLDER / "README.md").read_text().splitlines()
        if line.startswith("### ")
    }
    for template in templates.values():
        for logical, resource in template.body["Resources"].items():
            if resource["Type"] != "AWS::CloudWatch::Alarm":
                continue
            alarm = resource["Properties"]
            if not alarm.get("AlarmActions"):
                yield f"{logical} tells nobody"
            if resource.get("Condition") != "HasAlerts":
                yield f"{logical} does not depend on the alert stack"
            entry = re.search(
                r'README: "(.+)"', json.loads(json.dumps(alarm["AlarmDescription"]))["Fn::Sub"]
            )
            if entry is None or entry[1] not in headings:
                yield f"{logical} names no entry of the runbook"


def exports_are_used(templates: Templates) -> Iterator[str]:
    """Each export is imported or documented for others; each import has its export."""
    parents = {
        name: _parent_template(name, template)
        for template in templates.values()
        for name in template.parameters
        if name.endswith("Stack")
    }
    used = {
        (parents[parent], export)
        for template in templates.values()
        for parent, export in template.imports()
    }
    made = {(name, export) for name, each in templates.items() for export in each.exports()}
    readme = (FOLDER / "README.md").read_text()
    documented = {(name, export) for name, export in made if f"`{name}`-`{export}`" in readme}
    yield from [f"{name}-{export} is imported but not there" for name, export in used - made]
    yield from [
        f"{name}-{export} is neither used nor documented"
        for name, export in made - used - documented
    ]


def _parent_template(parameter: str, template: Template) -> str:
    """The template that a parameter's description names."""
    description = template.parameters[parameter]["Description"]
    match = re.search(r"made from ([\w-]+)\.yaml", description)
    assert match is not None, f"{parameter} does not say what it is made from: {description}"
    return match[1]


def names_carry_the_environment(templates: Templates) -> Iterator[str]:
    """Every name that is given, not made up by AWS, differs between two environments."""
    for template in templates.values():
        if "EnvironmentName" not in template.parameters:
            yield f"{template.name} has no EnvironmentName"
        for logical, resource in template.body["Resources"].items():
            kind = resource["Type"]
            properties = resource.get("Properties", {})
            for holder in (properties, *(v for v in properties.values() if isinstance(v, dict))):
                for key, value in holder.items():
                    named = key in {"Name", "Family", "Domain"} or key.endswith("Name")
                    if not named or (kind, key) in _NAMED_WITHIN | _NO_NAMES:
                        continue
                    text = json.dumps(value)
                    if "EnvironmentName" not in text and not _refers(value, template):
                        yield f"{template.name}.{logical}.{key} is {text}"


def _refers(value: Any, template: Template) -> bool:
    """Whether a value is the name of another resource, or what a person chose."""
    text = json.dumps(value)
    resources = template.body["Resources"]
    return (
        "Fn::ImportValue" in text
        or any(
            str(listed(node.get("Fn::GetAtt", node.get("Ref", "")))[0]) in resources
            for node in nodes(value)
        )
        or value in ({"Ref": "DomainName"}, {"Ref": "FirstUserEmail"})
    )


def tasks_are_confined(templates: Templates) -> Iterator[str]:
    """No container is root or privileged; all drop capabilities and log."""
    for template in templates.values():
        for logical, task in template.resources("AWS::ECS::TaskDefinition"):
            for container in task["ContainerDefinitions"]:
                if container.get("User", "root").split(":")[0] in {"0", "root"}:
                    yield f"{logical} runs as root"
                if container.get("Privileged") or "ReadonlyRootFilesystem" not in container:
                    yield f"{logical} is privileged, or its root file system undecided"
                if container.get("LinuxParameters", {}).get("Capabilities") != {"Drop": ["ALL"]}:
                    yield f"{logical} keeps capabilities"
                if "LogConfiguration" not in container:
                    yield f"{logical} does not log"


def the_ingestor_stops_in_time(templates: Templates) -> Iterator[str]:
    """It is given the time that it takes, replaced when dead only, and writes nowhere."""
    [(logical, task)] = templates["ingestor-service"].resources("AWS::ECS::TaskDefinition")
    [container] = task["ContainerDefinitions"]
    own = {each.get("Name"): each.get("Value") for each in container["Environment"]}
    if container["StopTimeout"] < int(own["INGESTOR_STOP_SECONDS"]) + 5:
        yield f"{logical} is killed before it has stopped"
    if container["ReadonlyRootFilesystem"] is not True:
        yield f"{logical} may write to its root file system"
    if "/live" not in json.dumps(container["HealthCheck"]):
        yield f"{logical} would be replaced for an outage of InfluxDB"


def shape_is_the_same(templates: Templates) -> Iterator[str]:
    """Sections in one order, conditions named for what they say, small enough to be sent as is."""
    for template in templates.values():
        if list(template.body) != [key for key in _ORDER if key in template.body]:
            yield f"{template.name}: sections are {list(template.body)}"
        if not template.body["Description"].startswith("cfn: "):
            yield f"{template.name}: the description does not start with cfn:"
        yield from [
            f"{template.name}: condition {name}"
            for name in template.body.get("Conditions", {})
            if not name.startswith(("Has", "Is"))
        ]
        if len(template.text.encode()) > _LARGEST_BODY:
            yield f"{template.name} is too long to be sent without a bucket"
    if set(templates) != {step.template for step in STEPS}:
        yield "the plan and the folder differ"
